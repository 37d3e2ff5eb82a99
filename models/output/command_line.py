"""What all commands share: a quiet TensorFlow, one sentence for a mistake, and an exit status."""

import os
import sys
from collections.abc import Callable

from errors import UserError


def run_tensorflow_command(command: Callable[[], int]) -> int:
    """The exit status of a command that needs TensorFlow from its beginning: as `ended`, hushed."""
    silence_tensorflow()
    return run_for_exit_status(command)


def run_for_exit_status(command: Callable[[], int | None]) -> int:
    """The command's exit status, 0 where it gives none; 2 after a mistake in what was given, which is printed; 130 when interrupted."""
    try:
        return command() or 0
    except UserError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def silence_tensorflow() -> None:
    """Keeps TensorFlow's lines away from what a command prints. Call it before TensorFlow is imported: no setting turns all of them off,
    and they are written past Python to descriptor 2.

    Python's own errors and progress bars keep the real one; a crash in native code, and child processes, are mute from then on.
    TF_CPP_MIN_LOG_LEVEL=0 shows everything. Where somebody has put another stderr in place, nothing is changed.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ or sys.stderr is not sys.__stderr__:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
