"""Decodes visitors' pictures in confined processes: a few of them, started once, which answer with pixels alone."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Condition, Event, Timer
from time import sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.images.decoded_picture import DecodedPicture
from models.images.decoder import FILE_BYTES, LONG_SIDE, check_file_length
from models.sandbox.checks.safe_text import printable_text
from models.sandbox.confinement import SandboxProtection
from models.sandbox.ipc import Expected, MessagePipes, ProtocolError, pipes_support_deadlines

ROOT = Path(__file__).resolve().parents[2]
WORKER = ("-B", "-m", "models.sandbox.picture_worker")
PROCESSES = 2
LONGEST_SENTENCE = 400
MOST_NOTES = 10
_ADVICE = "save it again as an ordinary JPEG or PNG"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecoderLimits:
    """starting, decoding, waiting: seconds by the clock, the last for a free process. processor: seconds of CPU time per picture.

    pictures: after as many a process is replaced by a new one. restarts: after crashes, per hour.
    free_restarts: so many of them at once; each further one waits twice as long as the one before, `longest_pause` seconds at most.
    """

    starting: float = 120.0
    decoding: float = 60.0
    waiting: float = 60.0
    processor: int = 20
    pictures: int = 2000
    restarts: int = 120
    free_restarts: int = 5
    longest_pause: float = 10.0


class DecoderExited(UserError):  # noqa: N818 - it is the sentence that a person reads
    """The process is gone, by itself or because it had to be stopped."""


class DecoderProcess:
    """One process. Starts at once; `decode` one picture at a time. Ends with `close` or this object."""

    def __init__(self, limits: DecoderLimits, worker: Sequence[str] = WORKER) -> None:
        """worker: what Python runs."""
        self.limits, self.pictures = limits, 0
        self.protection: SandboxProtection | None = None
        self._answered = True
        self._process = subprocess.Popen(
            [sys.executable, *worker, str(FILE_BYTES), str(limits.processor)],
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pipes = MessagePipes(os.dup(self._process.stdout.fileno()), os.dup(self._process.stdin.fileno()))
        self._process.stdin.close()
        self._process.stdout.close()
        self._end = weakref.finalize(self, _end, self._process, self._pipes)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether it runs and owes no answer."""
        return self._answered and self._process.poll() is None

    def decode(self, data: bytes, page: int = 1) -> DecodedPicture:
        """As `models.images.decoder.read_picture`. Raises DecoderExited where the process ended over it, UserError."""
        check_file_length(data)
        self._answered, late = False, Event()
        try:
            with self._ended_when_late(late):
                answer = self._exchanged(data, page)
            self._answered = True
        except (TimeoutError, ProtocolError, EOFError) as error:
            raise self._ended(f"{self._why(error, late)}; {_ADVICE}.") from error
        if isinstance(answer, str):
            raise UserError(answer)
        return answer

    def _exchanged(self, data: bytes, page: int) -> DecodedPicture | str:
        if self.protection is None:
            self.protection = self._started()
        self.pictures += 1
        _limit_processor(self.pid, self.limits.processor)
        deadline = time.monotonic() + self.limits.decoding
        self._pipes.send({"page": page}, (), deadline)
        self._pipes.send_bytes(data, deadline)
        return receive_decoded_picture(self._pipes, deadline)

    def _why(self, error: Exception, late: Event) -> str:
        if isinstance(error, TimeoutError) or late.is_set():
            return f"The picture took longer than {self.limits.decoding:g} s to decode and was given up"
        if isinstance(error, ProtocolError):
            return f"The picture was not decoded: its decoder answered with what is no picture ({printable_text(error)}) and was stopped"
        return f"The picture was not decoded: {self._how_it_ended()}"

    @contextlib.contextmanager
    def _ended_when_late(self, late: Event) -> Iterator[None]:
        """Where pipes know no deadlines, the process is ended at it."""
        if pipes_support_deadlines():
            yield
            return

        def end() -> None:
            late.set()
            self.kill()

        timer = Timer(self.limits.decoding + (0 if self.protection else self.limits.starting), end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def kill(self) -> None:
        """Ends the process; a caller that waits for its answer gets an error."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process; nobody may be waiting for an answer."""
        self._end()

    def _started(self) -> SandboxProtection:
        """What the process says before it has seen a picture."""
        head = self._pipes.receive(lambda _: (), time.monotonic() + self.limits.starting)[0]
        if "error" in head:
            log.error("the picture decoder cannot be confined: %s", printable_text(head["error"], LONGEST_SENTENCE))
            raise self._ended("Pictures cannot be decoded: this system does not let their decoder be confined; the server's log says why.")
        landlock, filtered = head.get("landlock"), head.get("filtered")
        if not isinstance(landlock, int) or not isinstance(filtered, bool):
            raise ProtocolError("no word on its confinement")
        return SandboxProtection(landlock, filtered)

    def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        name = signal.Signals(-code).name if code is not None and code < 0 else f"status {code}"
        known = {
            "SIGXCPU": f"it took more than {self.limits.processor} s of the processor's time",
            "SIGKILL": "its decoder was ended from outside, perhaps for want of memory",
        }
        return known.get(name, f"its decoder ended ({name})")

    def _ended(self, sentence: str) -> DecoderExited:
        self.close()
        return DecoderExited(sentence)


class PictureDecoder:
    """A few processes, of which each further one starts when all others are busy. One that ended is replaced. Safe to use from threads."""

    def __init__(self, processes: int = PROCESSES, limits: DecoderLimits | None = None, worker: Sequence[str] = WORKER) -> None:
        self.processes, self.limits, self._worker = processes, limits or DecoderLimits(), worker
        self._idle: list[DecoderProcess] = []
        self._busy: set[DecoderProcess | object] = set()
        self._crashes: deque[float] = deque()
        self._changed = Condition()

    def start(self) -> None:
        """Starts the first process, which is ready in half a second; nobody waits for it here."""
        with self._changed:
            if not self._idle and not self._busy:
                self._idle.append(DecoderProcess(self.limits, self._worker))

    def decode(self, data: bytes) -> NDArray[np.float32]:
        """The pixels of `read`."""
        return self.read(data).pixels

    def read(self, data: bytes, page: int = 1) -> DecodedPicture:
        """As `models.images.decoder.read_picture`. Also UserError where the process ended, or all are busy for long."""
        process = self._acquired()
        first = process.protection is None
        try:
            return process.decode(data, page)
        except DecoderExited:
            self._count_crash()
            raise
        finally:
            if first and process.protection and not process.protection.whole:
                log.warning("pictures are decoded in a process of their own, and %s", process.protection)
            self._release(process)

    @property
    def pids(self) -> list[int]:
        """Of the processes that run."""
        with self._changed:
            return [each.pid for each in (*self._idle, *self._busy) if isinstance(each, DecoderProcess)]

    def close(self) -> None:
        """Ends all processes; a picture that is being decoded is refused. The next picture starts one again."""
        with self._changed:
            idle, self._idle = self._idle, []
            for each in self._busy:
                if isinstance(each, DecoderProcess):
                    each.kill()
        for process in idle:
            process.close()

    def _acquired(self) -> DecoderProcess:
        place = object()
        with self._changed:
            if not self._changed.wait_for(lambda: self._idle or len(self._busy) < self.processes, self.limits.waiting):
                raise UserError("Many pictures wait to be decoded already; try again in a minute.")
            while self._idle:
                process = self._idle.pop()
                if process.usable:
                    self._busy.add(process)
                    return process
                process.close()
                self._crashes.append(time.monotonic())
            self._busy.add(place)
        try:
            self._pause()
            process = DecoderProcess(self.limits, self._worker)
            with self._changed:
                self._busy.add(process)
            return process
        finally:
            with self._changed:
                self._busy.discard(place)
                self._changed.notify()

    def _release(self, process: DecoderProcess) -> None:
        keep = process.usable and process.pictures < self.limits.pictures
        with self._changed:
            self._busy.discard(process)
            if keep:
                self._idle.append(process)
            self._changed.notify()
        if not keep:
            process.close()

    def _count_crash(self) -> None:
        with self._changed:
            self._crashes.append(time.monotonic())

    def _pause(self) -> None:
        """Before a process is started: the longer, the more have ended within an hour. UserError after too many."""
        with self._changed:
            while self._crashes and self._crashes[0] < time.monotonic() - 3600:
                self._crashes.popleft()
            count, last = len(self._crashes), self._crashes[-1] if self._crashes else 0.0
        if count >= self.limits.restarts:
            raise UserError(f"The picture decoder ended {count} times within an hour, so it is not started for now; try again later.")
        if count > self.limits.free_restarts:
            pause = min(self.limits.longest_pause, 0.1 * 2.0 ** min(count - self.limits.free_restarts, 20))
            sleep(max(0.0, last + pause - time.monotonic()))


@lru_cache(maxsize=1)
def shared_picture_decoder() -> PictureDecoder:
    """The decoder of this server."""
    return PictureDecoder()


def decode_picture_confined(data: bytes) -> NDArray[np.float32]:
    """The pixels of `read_picture_confined`, of the first page."""
    return shared_picture_decoder().decode(data)


def read_picture_confined(data: bytes, page: int = 1) -> DecodedPicture:
    """As `models.images.decoder.read_picture`, in a confined process: for everything that a server decodes. Raises UserError."""
    return shared_picture_decoder().read(data, page)


def receive_decoded_picture(pipes: MessagePipes, deadline: float | None = None) -> DecodedPicture | str:
    """The next answer: a picture, or the sentence of a refusal. ProtocolError for anything that is neither."""
    head, arrays = pipes.receive(_expected, deadline)
    if "error" in head:
        return printable_text(head["error"], LONGEST_SENTENCE)
    pixels = arrays[0]
    if pixels.dtype != np.float32 or not (pixels.min() >= 0 and pixels.max() <= 1):
        raise ProtocolError("numbers that are no colours")
    size, pages, notes = head.get("size"), (head.get("page", 0), head.get("pages", 0)), head.get("notes")
    if not isinstance(size, list) or len(size) != 2 or not all(_is_count(each) for each in (*size, *pages)) or pages[0] > pages[1]:
        raise ProtocolError("a picture of no agreed pages")
    if not isinstance(notes, list) or len(notes) > MOST_NOTES:
        raise ProtocolError("notes that are none")
    return DecodedPicture(pixels, (size[0], size[1]), pages[0], pages[1], tuple(printable_text(note, LONGEST_SENTENCE) for note in notes))


def _is_count(value: object) -> bool:
    return type(value) is int and 1 <= value < 2**31


def _expected(head: dict[str, Any]) -> list[Expected]:
    if "error" in head:
        return []
    shape = head.get("shape")
    if not isinstance(shape, list) or len(shape) != 3 or not all(type(side) is int and 1 <= side <= LONG_SIDE for side in shape):
        raise ProtocolError("a picture of no agreed size")
    if shape[2] != 3:
        raise ProtocolError("a picture without three colours")
    return [tuple(shape)]


def _limit_processor(pid: int, seconds: int) -> None:
    """For the next picture; the process itself cannot do it once it is filtered."""
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) // os.sysconf("SC_CLK_TCK")
        resource.prlimit(pid, resource.RLIMIT_CPU, (used + 1 + seconds, resource.RLIM_INFINITY))


def _environment() -> dict[str, str]:
    """Nothing of this process's own, which may hold secrets; libraries start no threads."""
    nowhere = "/nonexistent"
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")
    known = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": nowhere, **threads, **known}


def _end(process: "subprocess.Popen[bytes]", pipes: MessagePipes) -> None:
    process.kill()
    process.wait()
    pipes.close()
