"""What flows between the caller and a program: source and input in, output and answers out, all within bounds.

Guarantees: no read or write waits beyond the program's deadline, none takes more than its cap, and none waits for an
end of file: an orphan may hold the pipe. Costs: two pipes, or one socket pair, a program; a call and its answer are two
system calls on this side.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import time

from sandbox import values

CHUNK = 65536  # bytes of one read
LOOK_SECONDS = 0.05  # a read that waits looks at the clock so often
_LOOK = struct.pack("@ll", 0, round(LOOK_SECONDS * 1e6))  # struct timeval
_LENGTH = struct.Struct("<I")


class Deadline(Exception):
    """The program's wall time is over."""


class Gone(Exception):
    """The program has closed its end, most often by dying."""


def memory_file(content: bytes) -> int:
    """A sealed file in memory: its reader can neither change nor grow it."""
    descriptor = os.memfd_create("sandbox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    every_seal = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, every_seal)
    return descriptor


class Channel:
    """The trusted end of a candidate's calls socket: frames, with one deadline over all of them.

    The kernel ends a read that waits after LOOK_SECONDS, so that none needs a poll before it.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        sock.setblocking(True)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _LOOK)
        self._sock = sock
        self._deadline = deadline
        self._unread = b""

    def extend(self, seconds: float) -> None:
        """The deadline is so long from now."""
        self._deadline = time.monotonic() + seconds

    def send(self, body: bytes) -> None:
        """One frame to the candidate."""
        left = _LENGTH.pack(len(body)) + body
        while left:
            try:
                left = left[self._sock.send(left, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self._wait_for_room()
            except OSError:
                raise Gone from None

    def receive(self, longest: int = values.MAX_FRAME) -> bytes:
        """One frame from the candidate, which may send anything at all."""
        unread = self._unread or self._some()
        while len(unread) < _LENGTH.size:
            unread += self._some()
        (length,) = _LENGTH.unpack_from(unread)
        if not 0 < length <= longest:
            raise values.BadValue(f"a frame of {length} bytes")
        end = _LENGTH.size + length
        if len(unread) < end:
            unread = self._rest(unread, end)
        self._unread = unread[end:]
        return unread[_LENGTH.size : end]

    def _rest(self, begun: bytes, end: int) -> bytes:
        whole = bytearray(begun)
        while len(whole) < end:
            whole += self._some()
        return bytes(whole)

    def _some(self) -> bytes:
        """What is there, at least a byte."""
        while True:
            try:
                part: bytes | None = self._sock.recv(CHUNK)
            except BlockingIOError:
                part = None
            except OSError:
                part = b""
            if time.monotonic() >= self._deadline:
                raise Deadline
            if part:
                return part
            if part is not None:
                raise Gone

    def _wait_for_room(self) -> None:
        writable = select.poll()
        writable.register(self._sock, select.POLLOUT)
        left = self._deadline - time.monotonic()
        if left <= 0 or not writable.poll(left * 1000 + 1):
            raise Deadline


class Capture:
    """Collects a program's output from two pipes until it ends, its time is over, or the cap is reached."""

    def __init__(self, output_bytes: int) -> None:
        self._cap = output_bytes
        pipes = (os.pipe(), os.pipe())
        self._texts = {read: bytearray() for read, _ in pipes}
        self.ends = [write for _, write in pipes]
        self.is_over = False
        for read in self._texts:
            os.set_blocking(read, False)

    def close_ends(self) -> None:
        """The program has its own copies now."""
        while self.ends:
            os.close(self.ends.pop())

    def watch(self, control: socket.socket, deadline: float) -> bool:
        """True when the program ended by itself, False at the deadline or the cap."""
        poll = select.poll()
        for descriptor in (control.fileno(), *self._texts):
            poll.register(descriptor, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0 and not self.is_over:
            for descriptor, _ in poll.poll(left * 1000 + 1):
                if descriptor == control.fileno():
                    return True
                if not self._read(descriptor):
                    poll.unregister(descriptor)
        return False

    def _read(self, descriptor: int) -> bool:
        """Take what is there, one byte over the cap at most. False at the end of it."""
        text = self._texts[descriptor]
        try:
            part = os.read(descriptor, min(CHUNK, self._cap + 1 - len(text)))
        except BlockingIOError:
            return False
        text += part
        self.is_over = self.is_over or len(text) > self._cap
        return bool(part)

    def drain(self) -> tuple[str, str]:
        """What is left in the pipes once every writer is dead; then the two texts."""
        for descriptor, text in self._texts.items():
            while len(text) <= self._cap and self._read(descriptor):
                pass
        out, errors = (bytes(text[: self._cap]).decode("utf-8", "replace") for text in self._texts.values())
        return out, errors

    def close(self) -> None:
        """Close what is still open."""
        self.close_ends()
        for descriptor in self._texts:
            os.close(descriptor)
