"""A filter in the kernel that lets a process make the calls that it needs to compute, and no other: a refused call returns EPERM.

It stands beside Landlock, which knows nothing of datagrams, of file modes and of processes, and may be missing. The kernel's own
description: https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterator
from pathlib import Path

from models.sandbox import syscalls

_NO_NEW_PRIVILEGES, _FILTER, _EVERY_THREAD = 38, 1, 1
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where the kernel puts them
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")

Step = tuple[int, int, int, int]


def is_seccomp_available() -> bool:
    """Whether a filter is written for this machine and its kernel takes one."""
    return platform.system() == "Linux" and platform.machine() in _MACHINES and _ACTIONS.exists()


def apply_seccomp_filter() -> None:
    """Puts the filter over every thread of this process and all that they begin, for good. OSError where the kernel has none, or cannot."""
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in _MACHINES:
        raise OSError(f"no filter is written for {platform.system()} on {machine}")
    architecture, which = _MACHINES[machine]
    code = b"".join(struct.pack("=HBBI", *step) for step in _program(architecture, which))
    steps = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(steps))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    call, way, every = (ctypes.c_long(number) for number in (syscalls.SECCOMP[which], _FILTER, _EVERY_THREAD))
    failed = libc.syscall(call, way, every, ctypes.c_char_p(program))
    if failed:
        number = ctypes.get_errno() if failed < 0 else 0
        raise OSError(number, os.strerror(number) if number else f"thread {failed} cannot be held")


def _program(architecture: int, which: int) -> Iterator[Step]:
    yield _load(_ARCHITECTURE)
    yield _EQUAL, 1, 0, architecture
    yield _return(_KILL)
    yield _load(_NUMBER)
    if which == 0:
        yield from _if(_AT_LEAST, 0x40000000, _REFUSE | _EPERM)  # the second set of numbers that x86-64 has
    for number in sorted(number for pair in syscalls.ALLOWED.values() if (number := pair[which]) is not None):
        yield from _if(_EQUAL, number, _ALLOW)
    for newer in (syscalls.CLONE3, syscalls.OPENAT2):
        yield from _if(_EQUAL, newer[which], _REFUSE | _ENOSYS)
    for pair, place in ((syscalls.OPEN, 1), (syscalls.OPENAT, 2)):
        yield from _where(pair[which], [_argument(place), (_ANY_BIT, 1, 0, _CHANGING)])
    here = os.getpid()
    for pair, place, values in (
        (syscalls.CLONE, 0, syscalls.THREAD_FLAGS.values()),
        (syscalls.TGKILL, 0, [here]),
        (syscalls.AFFINITY, 0, [0, here]),
        (syscalls.FCNTL, 1, syscalls.FCNTL_COMMANDS.values()),
        (syscalls.IOCTL, 1, syscalls.IOCTL_COMMANDS.values()),
        (syscalls.PRCTL, 0, syscalls.PRCTL_OPTIONS.values()),
        (syscalls.ARCH_PRCTL, 0, syscalls.ARCH_PRCTL_OPTIONS.values()),
    ):
        yield from _where(pair[which], [_argument(place), *_one_of(list(values))])
    its_own = [_argument(0), (_EQUAL, 0, 5, 0)]
    no_new_limit = [_argument(2), (_EQUAL, 0, 3, 0), _load(_ARGUMENTS + 8 * 2 + 4), (_EQUAL, 0, 1, 0)]
    yield from _where(syscalls.PRLIMIT[which], [*its_own, *no_new_limit])
    yield _return(_REFUSE | _EPERM)


def _if(test: int, value: int, answer: int) -> list[Step]:
    return [(test, 0, 1, value), _return(answer)]


def _where(number: int | None, tests: list[Step]) -> list[Step]:
    """For that call alone, which ends here: the step after the tests allows it, the one after that refuses it."""
    if number is None:
        return []
    inner = [*tests, _return(_ALLOW), _return(_REFUSE | _EPERM)]
    return [(_EQUAL, 0, len(inner), number), *inner]


def _one_of(values: list[int]) -> list[Step]:
    """Tests that lead to the step after them where what was loaded is one of these, and past it where it is none."""
    last = len(values) - 1
    return [(_EQUAL, last - i, 0 if i < last else 1, value) for i, value in enumerate(values)]


def _argument(place: int) -> Step:
    """Loads the lower half of that argument: all of it, for those whose kind is an int."""
    return _load(_ARGUMENTS + 8 * place)


def _load(place: int) -> Step:
    return _LOAD, 0, 0, place


def _return(what: int) -> Step:
    return _RETURN, 0, 0, what
