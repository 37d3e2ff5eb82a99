"""Finds out by trying whether this system confines a process as an uploaded model's must be.

`reason_uploads_are_refused` starts the trial, and this module run as a program is the process that is confined.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

from errors import UserError
from models.sandbox.process_limiter import change_process_limit
from models.sandbox.sandbox_user import SandboxUser

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0


def reason_uploads_are_refused(user: SandboxUser | None) -> str:
    """Why no uploaded model can be opened here, in one sentence; "" where one can. user: whose its process is to become."""
    if user is None and hasattr(os, "geteuid") and not os.geteuid():
        return "This server runs as root, and no other user is named for the processes of uploaded models."
    try:
        answer, governed = _tried(user)
    except OSError as error:
        return f"No process can be started for uploaded models here ({error.strerror or error})."
    return _judged(answer, governed, user)


def _tried(user: SandboxUser | None) -> tuple[bytes, bool]:
    """What the confined process says of itself, and whether this one can limit and end it."""
    command = [sys.executable, "-B", "-m", __name__, str(user or "")]
    killed = False
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        timer = Timer(SECONDS, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            answer = process.stdout.readline(10_000)
            limited = _can_limit(process.pid, user)
        finally:
            timer.cancel()
            with contextlib.suppress(PermissionError):
                process.kill()
                killed = True
    return answer, limited and killed


def _judged(answer: bytes, governed: bool, user: SandboxUser | None) -> str:
    found = {}
    with contextlib.suppress(ValueError):
        found = json.loads(answer)
    if not isinstance(found, dict) or not {"error", "landlock", "filtered"} & set(found):
        whose = f" as {user.name}" if user else ""
        return f"A process cannot be confined{whose} here: it ended before it said why."
    if "error" in found:
        return str(found["error"])
    missing = [name for name, there in (("Landlock", found.get("landlock")), ("seccomp", found.get("filtered"))) if not there]
    if missing:
        return f"This system does not apply {' and '.join(missing)}, so nothing would keep a visitor's model from its files and network."
    if not governed:
        whose = f" of {user.name}" if user else ""
        return f"Another process{whose} can be neither limited nor ended here; run the server as an ordinary user."
    return ""


def _can_limit(process: int, user: SandboxUser | None) -> bool:
    """Whether this process may set the other's limits."""
    try:
        import resource

        change_process_limit(process, resource.RLIMIT_CPU, (3600, resource.RLIM_INFINITY), user)
    except (ImportError, AttributeError, OSError, ValueError):
        return False
    return True


def main() -> None:
    """Argument: the user, or "". Confines this process, reads of Python what a model's does, says how it went, and waits to be ended."""
    from models.sandbox.confinement import confine_process

    try:
        protection = confine_process([], user=SandboxUser.parse(sys.argv[1]))
        import numpy  # noqa: F401 - not read yet, so that it has to be readable
    except (UserError, RuntimeError, ImportError, OSError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return
    print(json.dumps({"landlock": protection.landlock, "filtered": protection.filtered}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
