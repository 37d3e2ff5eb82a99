"""Parses methods with their parameters, and classes by name or number."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from errors import UserError
from explainers.method import Method, ParameterRange
from explainers.methods import METHODS


def method_slug(method: type[Method] | Method) -> str:
    """The method's name on the command line and in file names: its title in lower case, such as grad_cam_plus_plus.

    What stands in brackets says which of a method's maps it is, and is left out.
    """
    title = re.sub(r"\(.*?\)", "", method.title.lower()).replace("++", " plus plus")
    return re.sub(r"[^a-z0-9]+", "_", title).strip("_")


def parse_methods(names: Sequence[str], parameters: Sequence[str]) -> tuple[Method, ...]:
    """The named methods, all where none is named, with `parameters` such as "occlusion.window=32" set. UserError."""
    known = {method_slug(method): method for method in METHODS}
    words = [word for name in names for word in name.split(",") if word.strip()] or list(known)
    chosen = {name: known[name]() for name in dict.fromkeys(_known(word, known, "method") for word in words)}
    for parameter in parameters:
        match = re.fullmatch(r"\s*([^.=]+)\.(\w+)\s*=\s*(.*?)\s*", parameter)
        if not match:
            raise UserError(f"--set is {parameter!r}; write METHOD.PARAMETER=VALUE, such as occlusion.window=32.")
        name = _known(match[1], known, "method")
        if name not in chosen:
            raise UserError(f"--set {parameter} is for {name}, which is not among the chosen methods; add it to --methods.")
        chosen[name] = _with(chosen[name], match[2], match[3])
    return tuple(chosen.values())


def parse_class_index(word: str, labels: Sequence[str]) -> int:
    """A class by its name, by one of its names ("tabby" of "tabby, tabby cat"), whatever the case, or by its number from 0.

    UserError with similar names.
    """
    wanted, names = word.strip().casefold(), [label.casefold() for label in labels]
    for found in (
        [index for index, label in enumerate(labels) if label == word],
        [index for index, name in enumerate(names) if name == wanted],
        [index for index, name in enumerate(names) if wanted in name.split(", ")],
    ):
        if found:
            return found[0]
    if word.isdecimal() and int(word) < len(labels):
        return int(word)
    near = [name for name in names if wanted and wanted in name][:3] or difflib.get_close_matches(wanted, names, 3, 0.5) or names[:5]
    raise UserError(
        f"There is no class {word!r}; try {', '.join(repr(labels[names.index(name)]) for name in near)}, or a number below {len(labels)}."
    )


def _known(word: str, known: dict[str, Any], what: str) -> str:
    plain = {re.sub("[^a-z0-9+]", "", name): name for name in known} | {
        name.replace("plus_plus", "++").replace("_", ""): name for name in known
    }
    found = plain.get(re.sub(r"\(.*\)|[^a-z0-9+]", "", word.lower()))  # a title may say in brackets how the method is set
    if found is None:
        raise UserError(f"There is no {what} {word.strip()!r}; choose from {', '.join(known)}.")
    return found


def _with(method: Method, name: str, text: str) -> Method:
    bounds = method.parameters().get(name)
    if bounds is None:
        raise UserError(f"{method.title} has no parameter {name!r}; it has {', '.join(method.parameters()) or 'none'}.")
    kind = type(method.parameter_values()[name])
    try:
        value = kind(text) if isinstance(bounds, ParameterRange) else text
    except ValueError as error:
        whole = "a whole number" if kind is int else "a number"
        raise UserError(f"{method.title}: {name} is {text!r}; it must be {whole}.") from error
    return replace(method, **{name: value})
