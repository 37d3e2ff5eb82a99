"""Confines the process of an untrusted model: which files it reads, and that it writes, connects to and starts nothing."""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from errors import UserError
from models.sandbox import landlock, linux_capabilities, seccomp
from models.sandbox.sandbox_user import SandboxUser

_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/nix/store"),
    *("/dev/urandom", "/dev/random", "/dev/null", "/dev/zero", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
    *("/proc/filesystems", "/proc/sys/vm", "/proc/sys/kernel", "/sys/devices/system", "/sys/fs/cgroup"),
)
_OWN = tuple(f"/proc/self/{name}" for name in ("cgroup", "cmdline", "maps", "stat", "statm", "status"))
"""Not all of /proc/self: its net/tcp names the addresses of those who visit the server."""
_CHECK_MEMORY, _CHECK_COPIES, _CHECK_SECONDS = 1_000_000_000, 3, 60
_OPEN_FILES, _THREADS_MORE = 256, 1024


@dataclass(frozen=True)
class SandboxProtection:
    """What holds a process back. landlock: the version, 0 where there is none. filtered: whether calls are filtered by seccomp."""

    landlock: int
    filtered: bool

    @property
    def whole(self) -> bool:
        """Whether both are there, so that the process reaches neither files nor the network nor programs."""
        return self.landlock > 0 and self.filtered

    def __str__(self) -> str:
        if self.landlock and self.filtered:
            return f"it reads no other files, writes none, and reaches neither network nor programs (Landlock {self.landlock}, seccomp)"
        if self.landlock:
            network = "TCP is closed" if self.landlock >= 4 else "the network is open"
            return f"it reads no other files and writes none (Landlock {self.landlock}); {network}: seccomp does not hold it"
        if self.filtered:
            return "it writes no files and reaches neither network nor programs (seccomp), but can read files: Landlock does not hold it"
        return "neither Landlock nor seccomp holds it: only the static check and limits on memory and time protect this machine"


def confine_process(files: Iterable[Path], libraries: bool = True, user: SandboxUser | None = None) -> SandboxProtection:
    """Confines this process for good, as far as the system can. files: what it may read besides what Python and TensorFlow need.

    libraries: False for a process that has imported everything and reads nothing but `files`. user: whose process it becomes.

    RuntimeError where threads were begun already: Landlock holds the calling thread and what that begins, and no other. UserError where
    its privileges cannot be given up.
    """
    if (running := _threads()) > 1:
        raise RuntimeError(f"{running} threads run already")
    needed = [Path(path) for path in (os.__file__, __file__, *site.getsitepackages()) if os.path.exists(path)]
    try:
        linux_capabilities.drop_capabilities(user, needed)
    except OSError as error:
        whose = f" to {user.name}" if user else ""
        raise UserError(f"A process that is to be confined cannot drop its privileges{whose} ({error.strerror or error}).") from error
    _limit()
    version, filtered = 0, False
    with suppress(OSError):  # there is none, or it cannot be applied
        if libraries:
            _hold(_OWN)
        version = landlock.apply_landlock([*(_needed() if libraries else ()), *files])
    with suppress(OSError):
        seccomp.apply_seccomp_filter()
        filtered = True
    return SandboxProtection(version, filtered)


def limit_check_resources(path: Path) -> None:
    """Memory and time of the process until the static check is done, before anything of the model is read.

    Only what the starting process can raise from outside is set: soft limits, where the system has prlimit.
    """
    import resource

    if not hasattr(resource, "prlimit"):
        return
    size = 0
    with suppress(OSError):
        size = path.stat().st_size
    for kind, most in ((resource.RLIMIT_AS, _CHECK_MEMORY + _CHECK_COPIES * size), (resource.RLIMIT_CPU, _CHECK_SECONDS)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _hold(files: Iterable[str]) -> None:
    """Never closes them: the kernel makes files of /proc as they are looked up, and a rule is about the one that was there then."""
    for file in files:
        with suppress(OSError):
            os.open(file, os.O_PATH | os.O_CLOEXEC)


def _threads() -> int:
    """Of this process; 1 where the system does not say."""
    with suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return 1


def _needed() -> Iterator[Path]:
    """What Python and TensorFlow read of a system."""
    here = Path(__file__).resolve().parents[1]
    installed = {sys.prefix, sys.base_prefix} - {"/", "/usr", "/usr/local"}
    found = {
        *installed,
        *sysconfig.get_paths().values(),
        *site.getsitepackages(),
        *_SYSTEM,
        *_OWN,
        str(here),
        *(str(here.with_name(name)) for name in ("image_batches.py", "plain_files.py")),
    }
    yield from map(Path, sorted(found - {"/", "/usr", "/usr/local"}))


def _limit() -> None:
    """No file may grow, no core be dumped, and threads and open files have a number. Memory and time are set by the process that asks."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):  # it counts all of this user's threads
        threads = _threads_of_user() + _THREADS_MORE
        resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))


def _threads_of_user() -> int:
    count, user = 0, os.getuid()
    for each in Path("/proc").iterdir():
        with suppress(OSError):
            if each.name.isdigit() and each.stat().st_uid == user:
                count += len(os.listdir(each / "task"))
    return count
