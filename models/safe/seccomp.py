"""A filter in the kernel that refuses the calls by which a process reaches others, the network, or changes a file.

It stands beside Landlock, which knows nothing of datagrams, of file modes and of processes, and may be missing. The kernel's own
description: https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterator
from pathlib import Path

_NO_NEW_PRIVILEGES, _FILTER, _EVERY_THREAD = 38, 1, 1
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where the kernel puts them
_THREAD = 0x10000
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_SECCOMP = (317, 277)
_BOTH = {
    "io_uring_setup": 425,
    "pidfd_open": 434,
    "pidfd_getfd": 438,
    "pidfd_send_signal": 424,
    "fchmodat2": 452,
    "move_mount": 429,
    "fsopen": 430,
    "open_tree": 428,
}
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    # the network, and other ways to other processes
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # other programs and processes
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "setrlimit": (160, 164),
    # the kernel
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    # files: what changes one, its name, its mode or its owner
    "creat": (85, None),
    "truncate": (76, 45),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
}
_OPEN, _OPENAT, _OPENAT2, _CLONE, _CLONE3 = (2, None), (257, 56), (437, 437), (56, 220), (435, 435)
_TGKILL, _PRLIMIT = (234, 131), (302, 261)

_ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")

Step = tuple[int, int, int, int]


def possible() -> bool:
    """Whether a filter is written for this machine and its kernel takes one."""
    return platform.system() == "Linux" and platform.machine() in _MACHINES and _ACTIONS.exists()


def confine() -> None:
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
    call, way, every = (ctypes.c_long(number) for number in (_SECCOMP[which], _FILTER, _EVERY_THREAD))
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
        yield from _if(_AT_LEAST, 0x40000000, _EPERM)  # the second set of numbers that x86-64 has
    for number in sorted({*_BOTH.values(), *(pair[which] for pair in _NUMBERS.values() if pair[which] is not None)}):  # type: ignore[type-var]
        yield from _if(_EQUAL, number, _EPERM)  # type: ignore[arg-type]
    for pair in (_CLONE3, _OPENAT2):  # callers fall back on their elder, whose arguments a filter can see
        yield from _if(_EQUAL, pair[which], _ENOSYS)
    for pair, place in ((_OPEN, 1), (_OPENAT, 2)):
        yield from _where(pair[which], [_load(_ARGUMENTS + 8 * place), (_ANY_BIT, 0, 1, _CHANGING)])
    yield from _where(_CLONE[which], [_load(_ARGUMENTS), (_ANY_BIT, 1, 0, _THREAD)])
    yield from _where(_TGKILL[which], [_load(_ARGUMENTS), (_EQUAL, 1, 0, os.getpid())])
    yield from _where(_PRLIMIT[which], [_load(_ARGUMENTS + 16), (_EQUAL, 0, 2, 0), _load(_ARGUMENTS + 20), (_EQUAL, 1, 0, 0)])
    yield _return(_ALLOW)


def _if(test: int, value: int, error: int) -> list[Step]:
    return [(test, 0, 1, value), _return(_REFUSE | error)]


def _where(number: int | None, tests: list[Step]) -> list[Step]:
    """For that call alone: the last test's jump leads past the refusal; afterwards the number is loaded again."""
    if number is None:
        return []
    inner = [*tests, _return(_REFUSE | _EPERM), _load(_NUMBER)]
    return [(_EQUAL, 0, len(inner), number), *inner]


def _load(place: int) -> Step:
    return _LOAD, 0, 0, place


def _return(what: int) -> Step:
    return _RETURN, 0, 0, what
