"""The positive control of the kills: writes its result in place, slowly. `python -m benchmarks.attack_parts.careless_writer FILE`."""

import json
import sys
import time
from pathlib import Path

from benchmarks.attack_parts.killable_commands import KillableCommand

PARTS, PAUSE = 200, 0.01


def main(path: Path) -> None:
    """Half of the time there is half a file."""
    (path.parent / ".begun").touch()
    time.sleep(0.5)
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for number in range(PARTS):
            file.write(f"{number},{' ' * 500}\n")
            file.flush()
            time.sleep(PAUSE)
        file.write("0]")
    (path.parent / ".begun").unlink()


def _fault(folder: Path) -> str:
    path = folder / "out.json"
    try:
        return "" if not path.exists() or json.loads(path.read_text(encoding="utf-8")) else "empty"
    except ValueError as error:
        return f"out.json: {error}"


CARELESS = KillableCommand(
    "control: writes in place",
    lambda folder: None,
    lambda folder: ["benchmarks.attack_parts.careless_writer", str(folder / "out.json")],
    _fault,
    lambda folder: (folder / "out.json").exists() and not _fault(folder),
)

if __name__ == "__main__":
    main(Path(sys.argv[1]))
