"""What leaves the program is written key by key: no reflection turns the names of fields into keys."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFLECTION = ("vars", "asdict", "_asdict", "astuple")
ALLOWED = {
    (
        "models/training/recipes/image_options.py",
        "vars",
    ): "an argparse Namespace: its names are the command's flags, which are the plan's keys",
}


@pytest.mark.parametrize("package", ["app", "explainers", "models"])
def test_no_key_is_a_field_by_reflection(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    found = {(str(file.relative_to(ROOT)), name) for file in files for name in reflection(file.read_text(encoding="utf-8"))}
    assert found == {place for place in ALLOWED if place[0].startswith(f"{package}/")}


def test_reflection_is_seen() -> None:
    seen = "vars(x)\nasdict(x)\ndataclasses.asdict(x)\nx._asdict()\nx.__dict__\nlist(x.values())\n"
    assert list(reflection(seen)) == ["vars", "asdict", "asdict", "_asdict", "__dict__"]


def reflection(source: str) -> Iterator[str]:
    """Each call, or use of `__dict__`, by which fields become keys, in the order of the source."""
    nodes = [node for node in ast.walk(ast.parse(source)) if hasattr(node, "lineno")]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in REFLECTION:
                yield name
        elif isinstance(node, ast.Attribute) and node.attr == "__dict__":
            yield node.attr
