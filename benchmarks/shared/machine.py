"""The line about the machine and the versions that accompanies every figure."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine_line() -> str:
    """Processor, cores, memory, Python and the versions that decide speed."""
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    kilobytes = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    versions = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "numpy"))
    return f"{cpu}, {os.cpu_count()} cores, {kilobytes / 2**20:.0f} GiB, Python {platform.python_version()}, {versions}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
