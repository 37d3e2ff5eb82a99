"""How many threads evaluate a model: one per core that this process may use, the same for every engine."""

import math
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # https://docs.kernel.org/admin-guide/cgroup-v2.html
_VARIABLE = "TF_NUM_INTRAOP_THREADS"


@cache
def thread_count() -> int:
    """TF_NUM_INTRAOP_THREADS where it is set; else the cores of this process, no more than its control group's share of time allows."""
    with suppress(KeyError, ValueError):
        if (wanted := int(os.environ[_VARIABLE])) > 0:
            return wanted
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _quota(_QUOTA)))


def _quota(file: Path) -> int:
    """Cores that the control group may keep busy; a large number where nothing limits it."""
    with suppress(OSError, ValueError):
        allowed, period = file.read_text(encoding="ascii").split()
        return math.ceil(int(allowed) / int(period))  # "max" is no number
    return 1 << 16
