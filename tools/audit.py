"""Looks for published vulnerabilities in the installed packages: `python -m tools.audit`, or `make audit`.

Exits with 1 where there is one that is not known here, and with 0 and a message where the lists of vulnerabilities cannot be reached.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence

KNOWN = {"GHSA-8g5g-8vmr-9782": "Pillow before 13, the newest that Gradio allows"}
"""Vulnerability -> why it is here although it is known. docs/security.md says what it can reach."""
FOUND = re.compile(r"Found \d+ known vulnerabilit")
SKIPPED = "could not be audited"

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def main(run: Run | None = None) -> int:
    """Prints what was found. run: runs pip-audit."""
    ignored = [word for name in KNOWN for word in ("--ignore-vuln", name)]
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *ignored]
    done = (run or _run)(command)
    said = done.stderr.strip()
    if done.returncode and not FOUND.search(said):
        print(f"The packages were not audited: {said.splitlines()[-1] if said else 'pip-audit gave no reason'}")
        return 0
    if skipped := done.stdout.count(SKIPPED):
        print(f"{skipped} packages were not audited: the list of vulnerabilities does not know them, or is another one.")
    found = "\n".join(line for line in done.stdout.splitlines() if SKIPPED not in line)
    print(said or "No known vulnerability.", *([found] if done.returncode else []), sep="\n")
    print("Left out:", "; ".join(f"{name} ({why})" for name, why in KNOWN.items()))
    return done.returncode


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
