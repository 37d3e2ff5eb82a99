"""The filter of system calls: what is not on its list returns EPERM, on both architectures, and nothing is killed for asking."""

import json
import os
import platform
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from models.sandbox import seccomp, syscalls
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
HEADERS = (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h"))
ALLOW, REFUSE, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000

# fmt: off
FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    # the network, and other ways to other processes
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "sendto": (44, 206),
    "sendmsg": (46, 211), "recvmsg": (47, 212), "accept4": (288, 242), "shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186),
    "semget": (64, 190), "semop": (65, 193), "mq_open": (240, 180), "mq_unlink": (241, 181), "memfd_create": (319, 279),
    "splice": (275, 76), "vmsplice": (278, 75), "sendfile": (40, 71),
    # other programs and processes
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "kill": (62, 129), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272), "setpgid": (109, 154), "setsid": (112, 157),
    "wait4": (61, 260), "get_robust_list": (274, 100),
    # its own limits, priority and privileges
    "setrlimit": (160, 164), "setpriority": (141, 140), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "ioprio_set": (251, 30), "setuid": (105, 146), "setgid": (106, 144), "setresuid": (117, 147),
    "setresgid": (119, 149), "setgroups": (116, 159), "capset": (126, 91), "personality": (135, 92), "seccomp": (317, 277),
    "landlock_restrict_self": (446, 446), "mlockall": (151, 230), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # the kernel and the machine
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "io_setup": (206, 0), "io_submit": (209, 2), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "mount": (165, 40), "umount2": (166, 39), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "open_tree": (428, 428), "mount_setattr": (442, 442),
    "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "sethostname": (170, 161),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "syslog": (103, 116), "swapoff": (168, 225),
    "acct": (163, 89), "quotactl": (179, 60), "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
    # files: what changes one, its name, its mode or its owner, locks it, or says what others do with it
    "creat": (85, None), "truncate": (76, 45), "ftruncate": (77, 46), "fallocate": (285, 47), "rename": (82, None),
    "renameat2": (316, 276), "mkdirat": (258, 34), "rmdir": (84, None), "unlinkat": (263, 35), "linkat": (265, 37),
    "symlinkat": (266, 36), "mknodat": (259, 33), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "fchown": (93, 55), "fchownat": (260, 54), "utimensat": (280, 88), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattrat": (466, 466), "copy_file_range": (326, 285), "sync": (162, 81), "fsync": (74, 82), "flock": (73, 32),
    "inotify_init1": (294, 26), "fanotify_init": (300, 262), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "chdir": (80, 49), "fchdir": (81, 50),
    "a call of a later kernel": (1000, 1000),
}
# fmt: on
TRIES = """
import ctypes, json, os, sys
from models.sandbox import confinement
from models.sandbox.sandbox_user import SandboxUser
libc = ctypes.CDLL(None, use_errno=True)
user = SandboxUser("nobody", 65534, 65534) if sys.argv[2] else None
protection = confinement.confine_process([], user=user)
found = {}
for name, number in json.loads(sys.argv[1]).items():
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
    found[name] = ctypes.get_errno() if result < 0 else "done"
print(json.dumps([os.getuid(), protection.filtered, found]))
"""
filtered = pytest.mark.skipif(not seccomp.is_seccomp_available(), reason="no filter is written for this system")


@filtered
@pytest.mark.parametrize("as_nobody", [False, True])
def test_what_is_not_on_the_list_returns_eperm(as_nobody: bool) -> None:
    """As this user and, where that is root, as another."""
    if as_nobody and os.geteuid():
        pytest.skip("only root can become somebody else")
    which = ("x86_64", "aarch64").index(platform.machine())
    numbers = {name: number for name, pair in FORBIDDEN.items() if (number := pair[which]) is not None}
    words = [sys.executable, "-c", TRIES, json.dumps(numbers), "nobody" if as_nobody else ""]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert not done.returncode, done.stderr
    user, put, found = json.loads(done.stdout)
    assert (user, put) == (65534 if as_nobody else os.getuid(), True)
    assert found == dict.fromkeys(numbers, 1)


def answer(which: int, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the filter returns for a call, by an interpreter of its own: https://docs.kernel.org/networking/filter.html"""
    machine = list(seccomp._MACHINES.values())[which]
    data = struct.pack("=iIQ6Q", number, architecture or machine[0], 0, *(*arguments, *[0] * 6)[:6])
    steps, place, value = list(seccomp._program(*machine)), 0, 0
    while True:
        code, when, otherwise, constant = steps[place]
        place += 1
        if code == 0x20:
            value = struct.unpack_from("=I", data, constant)[0]
        elif code == 0x06:
            return constant
        else:
            holds = {0x15: value == constant, 0x35: value >= constant, 0x45: bool(value & constant)}[code]
            place += when if holds else otherwise


@pytest.mark.parametrize("which", [0, 1])
def test_the_program_for_each_architecture_by_an_interpreter(which: int) -> None:
    """The one for aarch64 was run by no kernel here."""
    allowed = {number for pair in syscalls.ALLOWED.values() if (number := pair[which]) is not None}
    some = {pair[which] for pair in (syscalls.OPEN, syscalls.OPENAT, syscalls.CLONE, syscalls.TGKILL, syscalls.PRLIMIT, syscalls.AFFINITY)}
    some |= {pair[which] for pair in (syscalls.FCNTL, syscalls.IOCTL, syscalls.PRCTL, syscalls.ARCH_PRCTL)}
    for number in range(600):
        if number not in some:
            missing = number in (syscalls.CLONE3[which], syscalls.OPENAT2[which])
            assert answer(which, number, 1, 2, 3) == (ALLOW if number in allowed else ENOSYS if missing else REFUSE), number
    for pair in FORBIDDEN.values():
        assert pair[which] is None or answer(which, pair[which] or 0) == REFUSE
    assert answer(which, 0, architecture=0x40000003) == KILL


@pytest.mark.parametrize("which", [0, 1])
def test_calls_that_depend_on_their_arguments(which: int) -> None:
    here, high = os.getpid(), 1 << 32
    thread = 0x3D0F00
    rows: list[tuple[tuple[int | None, int | None], tuple[int, ...], bool]] = [
        (syscalls.OPENAT, (0, 0, os.O_RDONLY | os.O_CLOEXEC), True),
        (syscalls.OPENAT, (0, 0, os.O_RDWR), False),
        (syscalls.OPENAT, (0, 0, os.O_CREAT), False),
        (syscalls.OPEN, (0, os.O_RDONLY), True),
        (syscalls.OPEN, (0, os.O_WRONLY), False),
        (syscalls.CLONE, (thread,), True),
        (syscalls.CLONE, (17,), False),
        (syscalls.CLONE, (thread | 0x10000000,), False),
        (syscalls.CLONE, (thread | 0x2000,), False),
        (syscalls.TGKILL, (here, here, 6), True),
        (syscalls.TGKILL, (os.getppid(), os.getppid(), 6), False),
        (syscalls.AFFINITY, (0,), True),
        (syscalls.AFFINITY, (os.getppid(),), False),
        (syscalls.PRLIMIT, (0, 7, 0, 1), True),
        (syscalls.PRLIMIT, (0, 7, 1, 0), False),
        (syscalls.PRLIMIT, (0, 7, high, 0), False),
        (syscalls.PRLIMIT, (here, 7, 0, 1), False),
        (syscalls.FCNTL, (0, 4), True),
        (syscalls.FCNTL, (0, 8), False),
        (syscalls.FCNTL, (0, 6), False),
        (syscalls.IOCTL, (0, 0x5401), True),
        (syscalls.IOCTL, (0, 0x5412), False),
        (syscalls.PRCTL, (15,), True),
        (syscalls.PRCTL, (4,), False),
        (syscalls.ARCH_PRCTL, (0x1023,), True),
        (syscalls.ARCH_PRCTL, (0x1002,), False),
    ]
    for pair, arguments, right in rows:
        if (number := pair[which]) is not None:
            assert answer(which, number, *arguments) == (ALLOW if right else REFUSE), (pair, arguments)


@pytest.mark.parametrize("which", [0, 1])
def test_numbers_are_those_of_the_kernels_headers(which: int) -> None:
    if not HEADERS[which].exists():
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", HEADERS[which].read_text())
    known = {name: int(number) for name, number in found}
    known.setdefault("newfstatat", known.get("fstatat", -1))
    listed = {**syscalls.ALLOWED, **FORBIDDEN, "clone": syscalls.CLONE, "openat": syscalls.OPENAT, "prlimit64": syscalls.PRLIMIT}
    listed |= {"tgkill": syscalls.TGKILL, "fcntl": syscalls.FCNTL, "ioctl": syscalls.IOCTL, "prctl": syscalls.PRCTL}
    listed |= {"sched_setaffinity": syscalls.AFFINITY, "clone3": syscalls.CLONE3, "openat2": syscalls.OPENAT2}
    for name, pair in listed.items():
        if name in known:
            assert pair[which] == known[name], name
    assert len(known.keys() & listed.keys()) > 120
