"""Within the page: who knows Gradio, and who only knows values."""

from tools.imports import ROOT, imported_names

KNOW_GRADIO = {"events.py", "layout.py", "server.py"}


def test_only_events_layout_and_server_know_gradio() -> None:
    page = ROOT / "app" / "page"
    found = set()
    for path in page.rglob("*.py"):
        modules = imported_names(path.read_text(encoding="utf-8"), path.relative_to(ROOT).parent.parts)
        if any(module.split(".")[0] == "gradio" for module in modules):
            found.add(path.relative_to(page).as_posix())
    assert found == KNOW_GRADIO


def test_views_know_neither_queues_nor_events() -> None:
    for path in (ROOT / "app" / "page" / "views").glob("*.py"):
        for module in imported_names(path.read_text(encoding="utf-8"), path.relative_to(ROOT).parent.parts):
            own = module.removeprefix("app.page.")
            assert own == module or own.startswith("views."), f"{path.name} imports {module}"
            assert "Queue" not in module, f"{path.name} imports {module}"
