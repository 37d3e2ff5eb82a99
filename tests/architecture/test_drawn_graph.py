"""The import graph in docs/architecture.md is the code's."""

import pytest

from tools.import_graph import BEGIN, END, PAGE, drawing, parts, with_drawing


def test_the_drawing_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_drawing(page, drawing(parts())) == page, "python -m tools.import_graph writes it"


def test_layers_are_drawn_from_the_highest_down() -> None:
    text = drawing({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    assert text.splitlines()[3:6] == ["  3  a", "  2  b", "  1  c"]
    assert with_drawing(f"one\n{BEGIN}\nold\n{END}\ntwo", "new") == f"one\n{BEGIN}\nnew\n{END}\ntwo"


def test_a_circle_has_no_layers() -> None:
    with pytest.raises(ValueError, match="no layers"):
        drawing({"a": {"b"}, "b": {"a"}})
