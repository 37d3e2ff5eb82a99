"""One virtual environment per package under `.venv-bench`, made on first use, and again when its requirements change."""

import subprocess
import sys
import venv
from pathlib import Path

from errors import UserError

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venv-bench"
REQUIREMENTS = ROOT / "benchmarks" / "requirements"


def interpreter(package: str) -> Path:
    """The Python that has the package at the versions of `benchmarks/requirements/<package>.txt`; UserError where pip fails."""
    folder, requirements = ENVIRONMENTS / package, (REQUIREMENTS / f"{package}.txt").read_text(encoding="utf-8")
    python, made_from = folder / "bin" / "python", folder / "made-from.txt"
    if made_from.exists() and made_from.read_text(encoding="utf-8") == requirements:
        return python
    print(f"Making {folder.relative_to(ROOT)} (about 2 GB, once) ...", file=sys.stderr, flush=True)
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS / f"{package}.txt")]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"pip could not make {folder.relative_to(ROOT)}: {last_line(done.stderr)}")
    made_from.write_text(requirements, encoding="utf-8")
    return python


def last_line(text: str) -> str:
    """The last line that is not blank."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
