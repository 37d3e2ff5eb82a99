"""Messages between two processes: a head in JSON and plain arrays of numbers over a pipe, never an object.

A message is two lengths, the head, and the arrays one after the other as the head's "arrays" says them: [[kind, shape], ...].
"""

import contextlib
import json
import os
import select
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Expected = tuple[int, ...]

LONGEST_HEAD = 16_000_000
_KINDS = ("<f4", "<f8")
_LENGTH = struct.Struct("<Q")
_PIPE_BYTES = 1_048_576
_SET_PIPE_SIZE = 1031


class ProtocolError(Exception):
    """What came is not what was agreed: too long, no JSON, or arrays of another kind or shape."""


class MessagePipes:
    """One end of two pipes. `receive` and `send` raise EOFError where the other end is gone, TimeoutError past `deadline` (monotonic).

    Where the system cannot poll a pipe (Windows) they wait without a deadline: the starter of the other process has to end it.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        if pipes_support_deadlines():
            for end in (reading, writing):
                os.set_blocking(end, False)
        _widen(writing)

    def close(self) -> None:
        for end in (self.reading, self.writing):
            with contextlib.suppress(OSError):
                os.close(end)

    def send(self, head: dict[str, Any], arrays: Sequence[Array] = (), deadline: float | None = None) -> None:
        """Writes a message; float64 stays, every other kind of number goes as float32."""
        plain = [np.ascontiguousarray(each, each.dtype if each.dtype == np.float64 else np.float32) for each in arrays]
        listed = [[each.dtype.str, list(each.shape)] for each in plain]
        words = json.dumps({**head, "arrays": listed}).encode()
        self._write(_LENGTH.pack(len(words)) + words, deadline)
        for each in plain:
            if each.size:
                self._write(each.data.cast("B"), deadline)

    def send_bytes(self, content: bytes, deadline: float | None = None) -> None:
        """Writes a file's bytes as a message of their own."""
        self._write(_LENGTH.pack(len(content)), deadline)
        self._write(content, deadline)

    def receive_bytes(self, most: int, deadline: float | None = None) -> bytes:
        """The next message, which `send_bytes` wrote. Raises ProtocolError before memory is taken for more than `most` bytes."""
        length = _LENGTH.unpack(self._read(_LENGTH.size, deadline))[0]
        if length > most:
            raise ProtocolError(f"{length} bytes")
        return self._read(length, deadline)

    def receive(
        self, expected: Callable[[dict[str, Any]], Sequence[Expected]], deadline: float | None = None
    ) -> tuple[dict[str, Any], list[Array]]:
        """The next message. expected: head -> the shapes that its arrays must have. Raises ProtocolError before memory is taken."""
        length = _LENGTH.unpack(self._read(_LENGTH.size, deadline))[0]
        if length > LONGEST_HEAD:
            raise ProtocolError(f"a head of {length} bytes")
        try:
            head = json.loads(self._read(length, deadline))
            kinds = [(str(kind), tuple(int(side) for side in shape)) for kind, shape in head.pop("arrays")]
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise ProtocolError("a head that is no agreed JSON") from error
        if [shape for _, shape in kinds] != [tuple(shape) for shape in expected(head)] or any(kind not in _KINDS for kind, _ in kinds):
            raise ProtocolError(f"arrays of {str(kinds)[:80]}")
        return head, [self._array(kind, shape, deadline) for kind, shape in kinds]

    def _array(self, kind: str, shape: Expected, deadline: float | None) -> Array:
        made = np.empty(shape, kind)
        if made.size:
            self._fill(made.data.cast("B"), deadline)
        return made

    def _read(self, length: int, deadline: float | None) -> bytes:
        room = bytearray(length)
        self._fill(memoryview(room), deadline)
        return bytes(room)

    def _fill(self, room: memoryview, deadline: float | None) -> None:
        while room:
            try:
                count = _read_into(self.reading, room)
            except BlockingIOError:
                _wait(self.reading, select.POLLIN, deadline)
                continue
            if not count:
                raise EOFError
            room = room[count:]

    def _write(self, content: bytes | memoryview, deadline: float | None) -> None:
        rest = memoryview(content)
        while rest:
            try:
                rest = rest[os.write(self.writing, rest) :]
            except BlockingIOError:
                _wait(self.writing, select.POLLOUT, deadline)
            except BrokenPipeError as error:
                raise EOFError from error


def create_pipe_pair() -> tuple[tuple[int, int], tuple[int, int]]:
    """(reading, writing) ends of this process, and of the other."""
    here, there = os.pipe(), os.pipe()
    return (there[0], here[1]), (here[0], there[1])


def pipes_support_deadlines() -> bool:
    """Whether pipes know deadlines here."""
    return hasattr(select, "poll")


def _read_into(reading: int, room: memoryview) -> int:
    if hasattr(os, "readv"):
        return os.readv(reading, [room])
    piece = os.read(reading, min(len(room), _PIPE_BYTES))
    room[: len(piece)] = piece
    return len(piece)


def _wait(end: int, event: int, deadline: float | None) -> None:
    poll = select.poll()
    poll.register(end, event)
    left = None if deadline is None else max(0.0, (deadline - time.monotonic()) * 1000)
    if not poll.poll(left):
        raise TimeoutError


def _widen(end: int) -> None:
    """Wider pipes change sides less often; where they cannot be had, the usual ones serve."""
    with contextlib.suppress(OSError, ImportError, PermissionError):
        import fcntl

        fcntl.fcntl(end, _SET_PIPE_SIZE, _PIPE_BYTES)
