"""Words that name methods, parameters and classes."""

import pytest

from app.commands.arguments import method_slug, parse_class_index, parse_methods
from errors import UserError
from explainers.methods import METHODS


def test_every_method_is_found_by_its_title_and_by_its_name() -> None:
    for method in METHODS:
        for word in (method.title, method_slug(method), method.title.upper(), method_slug(method).replace("_", "-")):
            assert [type(chosen) for chosen in parse_methods([word], [])] == [method]
    assert [type(chosen) for chosen in parse_methods([], [])] == list(METHODS)
    assert len({method_slug(method) for method in METHODS}) == len(METHODS)


def test_methods_come_in_the_order_given_and_once() -> None:
    names = [method_slug(method) for method in parse_methods(["shap,lime", "shap", "grad-cam"], [])]
    assert names == ["shap", "lime", "grad_cam"]


def test_classes_by_name_and_number() -> None:
    labels = ("cat", "Dog", "3", "cat")
    assert [parse_class_index(word, labels) for word in ("cat", "dog", "DOG", "3", "1")] == [0, 1, 1, 2, 1]
    assert parse_class_index("Tabby", ("lynx, catamount", "tabby, tabby cat")) == 1
    with pytest.raises(UserError, match="There is no class 'abb'; try 'tabby, tabby cat', or a number below 2"):
        parse_class_index("abb", ("lynx, catamount", "tabby, tabby cat"))
    with pytest.raises(UserError, match="There is no class 'cot'; try 'cat'"):
        parse_class_index("cot", labels)
    with pytest.raises(UserError, match="a number below 4"):
        parse_class_index("17", labels)
