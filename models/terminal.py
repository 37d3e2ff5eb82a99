"""What the commands of this room share: a quiet TensorFlow, one sentence for a mistake, and an exit status."""

import os
import sys
from collections.abc import Callable

from errors import UserError


def run(command: Callable[[], int]) -> int:
    """The command's exit status; 2 after a mistake in what was given, which is printed, and 130 where it was interrupted."""
    _hush_native_code()
    try:
        return command()
    except UserError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _hush_native_code() -> None:
    """Keeps lines that TensorFlow writes past Python to descriptor 2 away from the progress bar; Python's own errors keep the real one.

    TF_CPP_MIN_LOG_LEVEL=0 shows them all.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ or sys.stderr is not sys.__stderr__:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
