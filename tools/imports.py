"""Reads which module of this repository imports which, from the sources alone, and finds import cycles."""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "explainers", "models", "benchmarks")

Graph = Mapping[str, Collection[str]]


def import_graph(packages: Iterable[str] = PACKAGES, root: Path = ROOT) -> dict[str, set[str]]:
    """Module -> the modules of `packages` that it imports, at any depth of the code, under TYPE_CHECKING too.

    A package is the module of its `__init__.py`; importing a module runs those of its ancestors too, which does not count.
    """
    files = {module_name(path, root): path for package in packages for path in sorted((root / package).rglob("*.py"))}
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        package = path.relative_to(root).parent.parts
        found = {target for name in imported_names(path.read_text(encoding="utf-8"), package) if (target := _module_of(name, files))}
        graph[module] = found - {module}
    return graph


def module_name(path: Path, root: Path = ROOT) -> str:
    """The dotted name of the module at `path`; that of an `__init__.py` is its package's."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(source: str, package: tuple[str, ...]) -> Iterator[str]:
    """Every name that a source imports, at any depth of the code, with relative imports spelt out from `package`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*up, *(node.module or "").split("."))).strip(".")
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _imports_by_name(node.func) and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def sibling_graphs(graph: Graph) -> dict[str, dict[str, set[str]]]:
    """Package -> its modules and subpackages -> those of their siblings that anything inside them imports anything of.

    The package's own `__init__.py` is its child `__init__`; the repository's root is the package "".
    """
    graphs: dict[str, dict[str, set[str]]] = {}
    for module, targets in graph.items():
        for target in targets:
            package, source, end = _part(module, target)
            siblings = graphs.setdefault(package, {})
            siblings.setdefault(source, set()).add(end)
            siblings.setdefault(end, set())
    return graphs


def _part(module: str, target: str) -> tuple[str, str, str]:
    """The innermost package that holds both modules, and the child of it that each of them is or lies in."""
    one, other = [*module.split("."), "__init__"], [*target.split("."), "__init__"]
    depth = next(i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return ".".join(one[:depth]), one[depth], other[depth]


def cycles(graph: Graph) -> list[list[str]]:
    """The strongly connected components of more than one node, each sorted: nodes that import each other directly or by way of others.

    Tarjan 1972, "Depth-first search and linear graph algorithms".
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found)


def _imports_by_name(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def _module_of(name: str, modules: Collection[str]) -> str | None:
    """The module that an imported name is or lies in; None where it is none of `modules`."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None
