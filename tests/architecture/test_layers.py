"""Imports inside `models/` and `app/` point downwards, and nothing imports in a circle: neither modules nor packages."""

import pytest

from tools.imports import cycles, import_graph, sibling_graphs

LAYERS = (
    {"output", "images", "store"},
    {"cards"},
    {"sandbox"},
    {"graph"},
    {"classifiers"},
    {"formats"},
    {"versions"},
    {"loading"},
    {"datasets"},
    {"evaluation"},
    {"inspection", "training", "export"},
    {"train", "evaluate", "predict", "explore", "results", "worker"},
)
"""The modules and packages of `models/`, the lowest layer first; each imports from itself and from lower layers alone."""

APP_LAYERS = (
    {"formatting", "options", "place_words", "preview_image", "rendering"},
    {"conclusion", "explanation", "masks", "model_files"},
    {"map_library", "metrics", "report_cards"},
    {"conclusion_facts"},
    {"service"},
    {"commands", "page"},
    {"cli", "maintenance"},
    {"__main__"},
)
"""The same of `app/`: the page and the commands stand on the service, and that on one pipeline."""

SCHEDULER, ITS_USERS = "app.service.explanation_queue", {"app.service.services", "app.maintenance.cached_answer", "app.page.answer_stream"}

GRAPH = import_graph()


@pytest.mark.parametrize(("package", "layers"), [("models", LAYERS), ("app", APP_LAYERS)])
def test_imports_from_lower_layers_only(package: str, layers: tuple[set[str], ...]) -> None:
    level = {name: number for number, names in enumerate(layers) for name in names}
    wrong = []
    for module, targets in GRAPH.items():
        for target in targets:
            if module.startswith(f"{package}.") and target.startswith(f"{package}."):
                source, end = module.split(".")[1], target.split(".")[1]
                if source != end and level[end] >= level[source]:
                    wrong.append(f"{module} (layer {level[source] + 1}) imports {target} (layer {level[end] + 1})")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("package", "layers"), [("models", LAYERS), ("app", APP_LAYERS)])
def test_every_part_has_a_layer(package: str, layers: tuple[set[str], ...]) -> None:
    parts = {module.split(".")[1] for module in GRAPH if module.startswith(f"{package}.")}
    assert parts == set().union(*layers)


def test_jobs_and_other_queues_do_not_know_the_scheduler() -> None:
    assert {module for module, targets in GRAPH.items() if SCHEDULER in targets} == ITS_USERS


def test_no_cycle_between_modules() -> None:
    assert not cycles(GRAPH)


def test_no_cycle_between_packages_and_modules_side_by_side() -> None:
    found = {package: circles for package, graph in sibling_graphs(GRAPH).items() if (circles := cycles(graph))}
    assert not found


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d"}}, [["a", "b", "c"], ["d", "e"]]),
    ],
)
def test_cycles(graph: dict[str, set[str]], expected: list[list[str]]) -> None:
    assert cycles(graph) == expected


def test_siblings_of_nested_packages() -> None:
    graph = {"p.a.x": {"p.b.y", "p.a"}, "p.b.y": {"p.a.z"}, "p.a.z": set(), "p.a": {"p.a.x"}}
    siblings = sibling_graphs(graph)
    assert cycles(siblings["p"]) == [["a", "b"]]
    assert cycles(siblings["p.a"]) == [["__init__", "x"]]
