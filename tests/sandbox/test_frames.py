"""Frames arrive whole, one at a time and within their cap, however they were cut; and warming up leaves nothing."""

import builtins
import linecache
import os
import socket
import sys

import pytest

from sandbox import rehearsal, remote_tester
from sandbox.frames import Wire


class Lost(Exception):
    """The other end has closed."""


class NoFrame(Exception):
    """What came is no frame."""


def lost():
    raise Lost


def refuse(reason):
    raise NoFrame(reason)


@pytest.fixture
def ends():
    near, far = socket.socketpair()
    far.settimeout(5)
    with near, far:
        yield Wire(near.fileno(), 10_000, lost, refuse), far


def frame(body, length=None):
    return (len(body) if length is None else length).to_bytes(4, "little") + body


def test_two_frames_in_one_packet_are_two(ends):
    wire, far = ends
    far.send(frame(b"a") + frame(b"bc") + frame(b"def")[:5])
    assert (wire.receive(), wire.receive()) == (b"a", b"bc")
    far.send(b"ef")
    assert wire.receive() == b"def"


@pytest.mark.parametrize("size", [1, 3, 5, 4096])
def test_a_frame_in_pieces_is_one(ends, size):
    wire, far = ends
    body = os.urandom(min(9000, 20 * size))
    whole = frame(body) + frame(b"next")
    for start in range(0, len(whole), size):
        far.send(whole[start : start + size])
    assert (wire.receive(), wire.receive()) == (body, b"next")


@pytest.mark.parametrize("length", [0, 10_001, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_before_anything_is_read(ends, length):
    wire, far = ends
    far.send(frame(b"", length))
    with pytest.raises(NoFrame, match=f"^a frame of {length} bytes$"):
        wire.receive()


def test_the_longest_frame_is_taken(ends):
    wire, far = ends
    far.send(frame(bytes(10_000)))
    assert wire.receive() == bytes(10_000)


@pytest.mark.parametrize("begun", [b"", b"\x05", frame(b"ab", 5)])
def test_an_end_in_the_middle_is_no_frame(ends, begun):
    wire, far = ends
    far.send(begun)
    far.close()
    with pytest.raises(Lost):
        wire.receive()


def test_who_sends_to_nobody_is_told(ends):
    wire, far = ends
    far.close()
    with pytest.raises(Lost):
        wire.send(b"a")


def test_an_end_with_something_unread_is_an_end(ends):
    wire, far = ends
    wire.send(b"a")
    far.close()
    with pytest.raises(Lost):
        wire.receive()


def test_what_is_sent_has_its_length(ends):
    wire, far = ends
    wire.send(b"abc")
    assert far.recv(100) == frame(b"abc")


def test_a_rehearsal_leaves_nothing():
    modules, lines = dict(sys.modules), dict(linecache.cache)
    rehearsal.rehearse()
    assert {name for name in sys.modules if sys.modules[name] is not modules.get(name)} == set()
    assert linecache.cache.keys() <= lines.keys()
    now = vars(builtins)  # to which others, such as extension modules, add names of their own
    assert {name for name, value in dict(remote_tester._BUILTINS).items() if now.get(name) is not value} <= {"_"}
    assert remote_tester._BUILTINS.tester is None
