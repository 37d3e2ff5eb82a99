"""Keeps TensorFlow's start-up lines away from whatever a command prints."""

import os
import sys


def hush() -> None:
    """Call it before TensorFlow is imported: its lines, of which no setting turns all off, are written past Python to descriptor 2.

    Python's own errors and progress bars keep the real one; a crash in native code, and child processes, are mute from then on.
    TF_CPP_MIN_LOG_LEVEL=0 shows everything.
    """
    if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
