"""Which version of the code produced a result: the git commit, and the versions of packages."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "unknown"


def commit(root: Path = ROOT) -> str:
    """The commit's hash, with "-dirty" behind it where tracked files were changed since; "unknown" outside a checkout."""
    if not (root / ".git").exists():  # git itself would look further up, into whatever project holds this folder
        return UNKNOWN
    try:
        asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return answer.stdout.strip() or UNKNOWN


def package_version(name: str) -> str:
    """Of an installed package; "unknown" for one that was installed under another name."""
    try:
        return version(name)
    except PackageNotFoundError:
        return UNKNOWN
