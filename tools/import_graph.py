"""Draws which part of the project imports which into docs/architecture.md: `python -m tools.import_graph`, with --check to compare only.

A part is a module or subpackage directly inside app, explainers, models or benchmarks. Parts of one line do not import each other;
every part imports only from lines below its own.
"""

import argparse
import sys
from pathlib import Path

from tools.imports import ROOT, cycles, import_graph

PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- import graph -->", "<!-- end of import graph -->"


def main() -> int:
    """Writes the drawing, or with --check returns 1 where the page has another one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare; exit status 1 where the page is out of date")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    new = with_drawing(page, drawing(parts()))
    if options.check:
        return int(new != page)
    Path(PAGE).write_text(new, encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(ROOT)}.")
    return 0


def parts() -> dict[str, set[str]]:
    """Part -> the other parts that anything inside it imports."""
    graph: dict[str, set[str]] = {}
    for module, targets in import_graph().items():
        source = _part(module)
        if source:
            graph.setdefault(source, set()).update(end for target in targets if (end := _part(target)) and end != source)
    return graph


def drawing(graph: dict[str, set[str]]) -> str:
    """The parts by layer, the highest first, as a Markdown code block. ValueError where parts import each other in a circle."""
    if found := cycles(graph):
        raise ValueError(f"no layers: {found}")
    height: dict[str, int] = {}

    def measure(part: str) -> int:
        if part not in height:
            height[part] = 1 + max((measure(target) for target in graph[part]), default=0)
        return height[part]

    for part in graph:
        measure(part)
    lines = []
    for level in range(max(height.values()), 0, -1):
        names = sorted(part for part in graph if height[part] == level)
        lines.append(f"{level:3}  {'  '.join(names)}")
    arrows = sum(len(targets) for targets in graph.values())
    return "\n".join(
        [f"{len(graph)} parts, {arrows} arrows between them, {max(height.values())} layers, no cycle:", "", "```", *lines, "```"]
    )


def with_drawing(page: str, text: str) -> str:
    """The page with the drawing between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _part(module: str) -> str:
    """The part that a module is or lies in; empty for a package's own `__init__`."""
    return ".".join(module.split(".")[:2]) if "." in module else ""


if __name__ == "__main__":
    sys.exit(main())
