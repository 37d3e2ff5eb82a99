"""The process of one untrusted model: started, limited, queried and ended from here."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from errors import UserError
from models.cards.sidecar_files import list_sidecar_files
from models.sandbox.checks.safe_text import printable_text
from models.sandbox.ipc import Array, Expected, MessagePipes, ProtocolError, create_pipe_pair
from models.sandbox.process_limiter import change_process_limit
from models.sandbox.sandbox_user import SandboxUser
from plain_files import is_within

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 6_000_000_000
_SHARE_OF_MACHINE = 0.75


@dataclass(frozen=True)
class WorkerLimits:
    """memory: bytes beyond what TensorFlow itself takes. starting, opening, answering: seconds by the clock.

    nicer: by how much its priority is lower than this process's. user: whose process it becomes, where this one is root's.
    """

    memory: int = MEMORY
    starting: float = 180.0
    opening: float = 120.0
    answering: float = 120.0
    nicer: int = 0
    user: SandboxUser | None = None

    @property
    def room(self) -> int:
        """Bytes: no more than three quarters of this machine's memory."""
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return int(min(self.memory, _SHARE_OF_MACHINE * machine))


class WorkerPhase(StrEnum):
    """What the process is doing, each in the words for its failing."""

    CHECKING = "was not looked at"
    OPENING = "could not be opened"
    ANSWERING = "did not answer"


class WorkerExited(UserError):  # noqa: N818 - it is the sentence that a person reads
    """The process is gone, by itself or because it had to be stopped."""


class WorkerProcess:
    """Starts at once; `open` waits for the model, `request` for an answer. One request at a time. Ends with `close` or this object."""

    def __init__(self, path: Path, limits: WorkerLimits) -> None:
        self.name, self.limits = path.name, limits
        (reading, writing), theirs = create_pipe_pair()
        place = path.absolute()
        arguments = (*theirs, limits.nicer, limits.user or "", place, *files_readable_by_worker(place))
        command = [sys.executable, "-B", "-m", "models.worker", *map(str, arguments)]
        nowhere = subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=_environment(),
                stdin=nowhere,
                stdout=nowhere,
                stderr=nowhere,
                pass_fds=theirs,
                start_new_session=True,
            )
        finally:
            for end in theirs:
                os.close(end)
        self._pipes = MessagePipes(reading, writing)
        self._end = weakref.finalize(self, _end, self._process, self._pipes)

    @property
    def pid(self) -> int:
        return self._process.pid

    def open(self) -> dict[str, Any]:
        """What the process says of the model once it is open and has answered a test. UserError says why it is not opened."""
        shut = self._receive(self.limits.starting, WorkerPhase.CHECKING)[0]
        self._set_memory(None)
        self._limit_processor(self.limits.starting)
        self._send({"do": "import"}, self.limits.starting)
        self._receive(self.limits.starting, WorkerPhase.CHECKING)
        self._limit_memory()
        self._limit_processor(self.limits.opening)
        self._send({"do": "open"}, self.limits.opening)
        opened = self._receive(self.limits.opening, WorkerPhase.OPENING)[0]
        return opened | {name: shut.get(name) for name in ("landlock", "filtered")}  # said before the model could have a say

    def request(self, head: dict[str, Any], arrays: Sequence[Array], wanted: Sequence[Expected]) -> tuple[dict[str, Any], list[Array]]:
        """The answer's arrays, of the shapes `wanted`. Raises MemoryError where its memory was used up, WorkerExited, UserError."""
        self._limit_processor(self.limits.answering)
        self._send(head, self.limits.answering, arrays)
        return self._receive(self.limits.answering, WorkerPhase.ANSWERING, wanted)

    def alive(self) -> bool:
        return self._process.poll() is None

    def death(self) -> str:
        """The sentence about a process that ended while nobody asked it."""
        return str(self._ended(self._how_it_ended()))

    def kill(self) -> None:
        """Ends the process; a caller that waits for its answer gets an error."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process, whatever it does; nobody may be waiting for an answer."""
        self._end()

    def _send(self, head: dict[str, Any], seconds: float, arrays: Sequence[Array] = ()) -> None:
        with contextlib.suppress(EOFError):  # it may have a last word to say
            try:
                self._pipes.send(head, arrays, time.monotonic() + seconds)
            except TimeoutError as error:
                raise self._ended("did not listen") from error

    def _receive(self, seconds: float, phase: WorkerPhase, wanted: Sequence[Expected] = ()) -> tuple[dict[str, Any], list[Array]]:
        try:
            head, arrays = self._pipes.receive(lambda head: () if "error" in head else wanted, time.monotonic() + seconds)
        except TimeoutError as error:
            raise self._ended(f"{phase} within {seconds:g} s and was stopped") from error
        except ProtocolError as error:
            raise self._ended(f"answered with what nobody asked for ({printable_text(error)}) and was stopped") from error
        except EOFError as error:
            raise self._ended(self._how_it_ended()) from error
        if "error" in head:
            raise self._trouble(head["error"], printable_text(head.get("message", ""), 400), phase)
        return head, arrays

    def _trouble(self, kind: object, words: str, phase: WorkerPhase) -> Exception:
        if kind == "memory" and phase == WorkerPhase.ANSWERING:
            return MemoryError(words)
        if kind == "memory":
            most = f"the {self.limits.room / 1e9:.1f} GB that a model gets which is not trusted"
            return UserError(f"{self.name} needs more memory than {most}; take a smaller one.")
        return UserError(words if kind == "user" else f"{self.name} {phase}: {words}")

    def _how_it_ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        if code is not None and code < 0:
            known: dict[int, str] = {
                signal.SIGXCPU: "it used up its time",
                signal.SIGKILL: "it was ended from outside, perhaps for want of memory",
            }
            return f"ended its own process ({known.get(-code, signal.Signals(-code).name)})"
        return f"ended its own process (status {code})"

    def _ended(self, what: str) -> WorkerExited:
        self.close()
        return WorkerExited(f"{self.name} {what}; use another model, or a smaller one.")

    def _limit_memory(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # no /proc, or it has just ended
            taken = int(Path(f"/proc/{self.pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            self._set_memory(taken + self.limits.room)

    def _set_memory(self, most: int | None) -> None:
        """The limit of its address space; None for the most that it may have."""
        with self._limiting() as resource:
            hard = change_process_limit(self.pid, resource.RLIMIT_AS, None, self.limits.user)[1]
            change_process_limit(self.pid, resource.RLIMIT_AS, (hard, hard) if most is None else (most, most), self.limits.user)

    def _limit_processor(self, seconds: float) -> None:
        """For what comes now; what it does unasked afterwards comes to an end by the same limit."""
        with self._limiting() as resource:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            most = int(used + seconds * (os.cpu_count() or 1)) + 1
            change_process_limit(self.pid, resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY), self.limits.user)

    @contextlib.contextmanager
    def _limiting(self) -> Iterator[Any]:
        """Not every system has limits for other processes. WorkerExited where an uploaded model's, which must have them, gets none."""
        try:
            import resource

            yield resource
        except (ImportError, AttributeError, OSError, ValueError) as error:
            if self.limits.user and self.alive():
                raise self._ended("was stopped, because its process could not be limited") from error


def files_readable_by_worker(path: Path) -> list[Path]:
    """What belongs to a model, links followed: the file or folder itself, its card, its labels, its architecture where that lies apart.

    The files beside an untrusted model are untrusted too: a link that leads out of its folder is left out, as are folders and devices.
    """
    folder = path.parent.resolve()
    beside = (found for each in list_sidecar_files(path) if (found := _plain_file(each)) and is_within(found, folder))
    return list(dict.fromkeys([path.resolve(), *beside]))


def _plain_file(path: Path) -> Path | None:
    """Where it really lies; None where there is no regular file."""
    try:
        found = path.resolve(strict=True)
        return found if found.is_file() else None
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return None


def _environment() -> dict[str, str]:
    """The environment: nothing of this process's own, which may hold secrets."""
    nowhere = "/nonexistent"
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": nowhere,
        "KERAS_HOME": nowhere,
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",
        "HDF5_USE_FILE_LOCKING": "FALSE",  # locks on shared files would reach others
        "OPENBLAS_NUM_THREADS": "1",  # each takes address space that it never uses
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **{name: value for name, value in os.environ.items() if name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "LD_LIBRARY_PATH")},
    }


def _end(process: "subprocess.Popen[bytes]", pipes: MessagePipes) -> None:
    process.kill()
    process.wait()
    pipes.close()
