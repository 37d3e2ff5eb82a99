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


@pytest.mark.parametrize("package", ["app", "explainers", "models", "benchmarks", "examples", "tools"])
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


TEXT_COMPARED = {
    ("benchmarks/attack_parts/attack_table.py", "event failed"): "a server's answer, which an attacker sees as text",
    ("benchmarks/attack_parts/attack_table.py", "log says why"): "a server's answer, which an attacker sees as text",
    ("benchmarks/attack_parts/hostile_visitors.py", "HTTP 429"): "a server's answer, which an attacker sees as text",
    ("benchmarks/attack_parts/hostile_visitors.py", "HTTP 503"): "a server's answer, which an attacker sees as text",
    ("benchmarks/attack_parts/killable_commands.py", "--seed 5"): "a command that stands on a card",
    ("benchmarks/shared/machine.py", "model name"): "a key of /proc/cpuinfo",
    ("models/results.py", "python -m models.train "): "the start of a command that stands on a card",
    ("models/sandbox/checks/safe_text.py", "Exception encountered: "): "a prefix of Keras's own",
}


@pytest.mark.parametrize("package", ["app", "explainers", "models", "benchmarks"])
def test_no_text_for_people_decides(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    found = {(str(file.relative_to(ROOT)), text) for file in files for text in compared_texts(file.read_text(encoding="utf-8"))}
    assert found == {place for place in TEXT_COMPARED if place[0].startswith(f"{package}/")}


def test_a_compared_text_is_seen() -> None:
    source = "x == 'The model is ready.'\nx in ('a b', 'c')\nx.startswith('no such')\nx == 'done'\n"
    source += "print('a b')\nx.endswith(('.h5', 'is off.'))\n"
    assert sorted(compared_texts(source)) == ["The model is ready.", "a b", "is off.", "no such"]


def compared_texts(source: str) -> Iterator[str]:
    """Each text of several words, or of one sentence, that a comparison or a look at a start or an end is made with."""
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            parts = node.args if node.func.attr in {"startswith", "endswith", "removeprefix", "removesuffix"} else []
        for part in parts:
            for each in getattr(part, "elts", [part]):
                text = each.value if isinstance(each, ast.Constant) else None
                if isinstance(text, str) and (" " in text.strip() or (text.endswith(".") and len(text) > 4)):
                    yield text
