"""Frames through a socket, at the end that is in a jail: a 4-byte length and a body, each way.

Guarantees: a frame is read no further than its length says and none is longer than its cap, whoever sends. Costs: a system
call a frame that is shorter than 4 KB. Leaves out: the clock, which the caller holds and ends the process by
(sandbox.streams is the caller's end).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from os import read, write

FIRST_READ = 4096  # bytes: most frames are shorter
LENGTH = struct.Struct("<I")


class Wire:
    """One end. `lost` is called when the other has closed, `refuse` with why a frame is none; neither returns."""

    def __init__(
        self, descriptor: int, longest: int, lost: Callable[[], bytes], refuse: Callable[[str], bytes]
    ) -> None:
        self._descriptor = descriptor
        self._longest = longest
        self._lost = lost
        self._refuse = refuse
        self._unread = b""

    def send(self, body: bytes) -> None:
        """One frame."""
        frame = LENGTH.pack(len(body)) + body
        try:
            while frame:
                frame = frame[write(self._descriptor, frame) :]
        except BrokenPipeError:
            self._lost()

    def receive(self) -> bytes:
        """One frame, when it has come."""
        frame = self._unread or self._some(FIRST_READ)
        while len(frame) < LENGTH.size:
            frame += self._some(FIRST_READ)
        length = LENGTH.unpack_from(frame)[0]
        if not 0 < length <= self._longest:
            return self._refuse(f"a frame of {length} bytes")
        end = length + LENGTH.size
        if len(frame) < end:
            frame = self._rest(frame, end)
        self._unread = frame[end:]
        return frame[LENGTH.size : end]

    def _rest(self, begun: bytes, end: int) -> bytes:
        whole = bytearray(begun)
        while len(whole) < end:
            whole += self._some(end - len(whole))
        return bytes(whole)

    def _some(self, count: int) -> bytes:
        try:
            return read(self._descriptor, count) or self._lost()
        except ConnectionResetError:  # it closed with what we sent unread
            return self._lost()
