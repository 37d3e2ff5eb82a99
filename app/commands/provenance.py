"""Which version of the code produced a result: the git commit, and the versions of packages."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "unknown"


def git_commit_hash(root: Path = ROOT) -> str:
    """The commit's hash, with the suffix "-dirty" where tracked files have changed; "unknown" outside a checkout."""
    if not (root / ".git").exists():  # git itself would search the parent folders, and find another project's
        return UNKNOWN
    try:
        asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return answer.stdout.strip() or UNKNOWN


def installed_package_version(name: str) -> str:
    """The version of an installed package; "unknown" where it is installed under another name."""
    try:
        return version(name)
    except PackageNotFoundError:
        return UNKNOWN
