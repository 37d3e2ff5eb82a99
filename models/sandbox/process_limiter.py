"""Reads and sets the limits of another process, also of one that has become another user's.

Root itself needs CAP_SYS_RESOURCE for a process of somebody else's, which containers do not have. That user needs nothing; so a process
of theirs does it, started when it is first needed. It runs this module and nothing that others have a say in.
"""

import contextlib
import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from threading import Lock

from models.sandbox.sandbox_user import SandboxUser

ROOT = Path(__file__).resolve().parents[2]
Pair = tuple[int, int]


def change_process_limit(process: int, kind: int, new: Pair | None = None, user: SandboxUser | None = None) -> Pair:
    """(soft, hard) limits as they were. new: what they become. user: whose the process is, if not this one's. OSError, ValueError.

    ImportError or AttributeError where the system has no such call.
    """
    if user:
        return _limiter(user).change(process, kind, new)
    import resource

    return resource.prlimit(process, kind, new) if new else resource.prlimit(process, kind)


class ProcessLimiter:
    """The process of that user; restarted where it has ended. Safe to use from threads."""

    def __init__(self, user: SandboxUser) -> None:
        self._user, self._lock = user, Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def change(self, process: int, kind: int, new: Pair | None) -> Pair:
        """As `change_process_limit`."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
            reading, writing = self._process.stdout, self._process.stdin
            assert reading is not None
            assert writing is not None
            writing.write(json.dumps([process, kind, new]).encode() + b"\n")
            writing.flush()
            answer = reading.readline()
        try:
            soft, hard = json.loads(answer)
        except ValueError:
            raise OSError(f"the limits of a process of {self._user.name} cannot be set") from None
        return soft, hard

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-B", "-m", __name__, str(self._user)]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment, start_new_session=True)


@lru_cache(maxsize=8)
def _limiter(user: SandboxUser) -> ProcessLimiter:
    return ProcessLimiter(user)


def main() -> None:
    """Argument: the user. A line per request, and per answer; ends when no more can come."""
    import resource

    from models.sandbox.linux_capabilities import drop_capabilities

    user = SandboxUser.parse(sys.argv[1])
    drop_capabilities(user)
    for line in sys.stdin:
        process, kind, new = json.loads(line)
        found = None
        with contextlib.suppress(OSError, ValueError):
            found = resource.prlimit(process, kind, tuple(new)) if new else resource.prlimit(process, kind)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
