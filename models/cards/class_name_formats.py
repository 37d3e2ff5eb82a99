"""The names of classes in the texts that people keep them in: one per line, with numbers, in one line, as JSON, as CSV, in any encoding."""

import ast
import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LONGEST_NAME = 200
MOST_NAMES = 10_000
_MOST_LITERAL = 200_000  # characters of a Python list or dictionary in a text
_NUMBER_FIRST = re.compile(r"(\d{1,6})\s*(?:[:,;=.)\]|-]|\s)\s*(\S.*)")
_NUMBER_LAST = re.compile(r"(\S.*?)\s*(?:[:,;=|]|\s)\s*(\d{1,6})")
_WORDNET = re.compile(r"n\d{8}\s+(\S.*)")
_NAME_HEADS = ("name", "class_name", "classname", "class name", "label_name", "label", "class", "species", "category", "description")
_FILE_HEADS = ("file", "filename", "file_name", "image", "image_id", "path", "picture")
_KEYS = ("id2label", "class_names", "classes", "labels", "names", "class_indices", "class_to_idx", "label2id", "class_map", "label_map")
_PLACEHOLDER = re.compile(r"LABEL_\d+")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")


class UnusableNamesError(ValueError):
    """Why a text cannot be used for the names of these classes, as the end of a sentence."""


def parse_class_names(content: bytes, file: str, classes: int | None) -> list[str] | None:
    """The names in the order of the classes. None where the file is about something else (a Keras config.json, for example).

    file: its name, whose ending says how it is written. classes: how many there are; None where it is not known.
    Raises UnusableNamesError.
    """
    text = decode_text(content)
    if file.endswith(".json"):
        found = _from_json(text, file)
    elif file.endswith(".csv"):
        found = _from_csv(text, classes)
    else:
        found = _from_lines(text, classes)
    if found is None:
        return None
    names = [name.strip() for name in found]
    if classes is not None and len(names) != classes:
        raise UnusableNamesError(f"it names {len(names):,} classes, and the model has {classes:,}")
    if len(names) > MOST_NAMES:
        raise UnusableNamesError(f"it names {len(names):,} classes, and {MOST_NAMES:,} is the most")
    for number, name in enumerate(names):
        if not name or len(name) > LONGEST_NAME:
            raise UnusableNamesError(f"the name of class {number} has {len(name)} characters, and 1 to {LONGEST_NAME} are taken")
    return names


def decode_text(content: bytes) -> str:
    """A text in UTF-8 or UTF-16, each with or without a mark at its beginning, or in Windows' Western encoding. UnusableNamesError."""
    text = ""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = _decoded(content, "utf-16")
    elif content[1:8:2].count(0) >= 3:
        text = _decoded(content, "utf-16-le")
    elif content[0:8:2].count(0) >= 3:
        text = _decoded(content, "utf-16-be")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
    if _CONTROLS.search(text) or "\ufffd" in text:
        raise UnusableNamesError("it is no text")
    return text


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnusableNamesError("it is no text") from error


def _from_lines(text: str, classes: int | None) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise UnusableNamesError("it is empty")
    if text.lstrip()[:1] in ("[", "{"):
        return _names_of(_literal(text))
    if len(lines) == 1 and (classes is None or classes > 1):
        lines = _split_line(lines[0], classes)
    return _without_numbers(lines)


def _split_line(line: str, classes: int | None) -> list[str]:
    """The names of a single line, at the first separator that gives as many as there are classes."""
    for separator in (",", ";", "\t", "|", None):
        parts = [part.strip().strip("\"'") for part in line.split(separator) if part.strip()]
        if len(parts) == classes or (classes is None and separator and len(parts) > 1):
            return parts
    return [line]


def _without_numbers(lines: Sequence[str]) -> list[str]:
    """Lines with the classes' numbers before or behind the names in the order of these numbers; all others as they are."""
    for pattern, number, name in ((_NUMBER_FIRST, 1, 2), (_NUMBER_LAST, 2, 1)):
        found = [pattern.fullmatch(line) for line in lines]
        pairs = [(int(each[number]), each[name].strip().strip("\"'")) for each in found if each]
        if len(pairs) == len(lines) and len({name for _, name in pairs}) == len(pairs):
            with_order = _ordered(pairs)
            if with_order is not None:
                return with_order
    words = [_WORDNET.fullmatch(line) for line in lines]
    named = [each[1] for each in words if each]
    return named if len(named) == len(lines) else list(lines)


def _ordered(pairs: Iterable[tuple[int, str]]) -> list[str] | None:
    """The names by their numbers, where these are 0 to n - 1, or 1 to n; else None."""
    found = sorted(pairs)
    numbers = [number for number, _ in found]
    return [name for _, name in found] if found and numbers == list(range(numbers[0], numbers[0] + len(found))) and numbers[0] < 2 else None


def _literal(text: str) -> Any:
    """A list or dictionary as JSON or Python writes it; None where it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > _MOST_LITERAL:
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _from_json(text: str, file: str) -> list[str] | None:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusableNamesError("it is no JSON") from error
    if file not in ("config.json", "metadata.json"):
        return _names_of(raw)
    named = _inner(raw)
    if named is None or (isinstance(named, dict) and all(_PLACEHOLDER.fullmatch(str(each)) for each in named.values())):
        return None
    return _names_of(named)


def _names_of(raw: Any) -> list[str]:
    """A list of names, names by number, numbers by name, or an object that holds such a one. UnusableNamesError."""
    raw = _inner(raw) or raw
    if isinstance(raw, list | tuple) and raw:
        return [_name_of(each) for each in raw] if not _numbered(raw) else _by_number({each["id"]: each["name"] for each in raw})
    if isinstance(raw, dict) and raw:
        values = list(raw.values())
        if all(isinstance(each, int) and not isinstance(each, bool) for each in values):
            return _by_number({number: name for name, number in raw.items()} if len(set(values)) == len(values) else {})
        return _by_number(raw)
    raise UnusableNamesError("it holds neither a list of names nor names with numbers")


def _inner(raw: Any) -> Any:
    """What an object holds under a usual name for the classes; None where it holds nothing so."""
    return next((raw[key] for key in _KEYS if isinstance(raw.get(key), list | dict) and raw[key]), None) if isinstance(raw, dict) else None


def _numbered(raw: Sequence[Any]) -> bool:
    return all(isinstance(each, dict) and isinstance(each.get("id"), int) and isinstance(each.get("name"), str) for each in raw)


def _by_number(raw: Mapping[Any, Any]) -> list[str]:
    try:
        found = _ordered([(int(number), _name_of(name)) for number, name in raw.items()])
    except (TypeError, ValueError) as error:
        raise UnusableNamesError("it holds neither a list of names nor names with numbers") from error
    if found is None:
        raise UnusableNamesError("its numbers are not those of the classes, 0 to n - 1")
    return found


def _name_of(value: Any) -> str:
    if isinstance(value, list | tuple) and value and isinstance(value[-1], str):
        return value[-1]  # as Keras keeps ImageNet's: the synset, then the name
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "label", "class_name", "class") if isinstance(value.get(key), str)), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnusableNamesError("it holds neither a list of names nor names with numbers")
    return str(value)


def _from_csv(text: str, classes: int | None) -> list[str]:
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=separator) if any(map(str.strip, row))]
    except csv.Error as error:
        raise UnusableNamesError("it is no CSV") from error
    if not rows:
        raise UnusableNamesError("it is empty")
    if len(rows) == 1 and (classes is None or classes > 1):
        return _without_numbers(rows[0])
    head = [cell.lower() for cell in rows[0]]
    has_head = _is_head(head, rows[1:])
    if has_head:
        rows = rows[1:]
    if has_head and any(cell in _FILE_HEADS for cell in head):
        raise UnusableNamesError("it is a table of pictures, one per row")
    if classes is not None and len(rows) != classes:
        raise UnusableNamesError(f"it has {len(rows):,} rows, and the model has {classes:,} classes")
    width = min(map(len, rows))
    columns = [[row[at] for row in rows] for at in range(width)]
    numbers = next((at for at, cells in enumerate(columns) if _are_numbers(cells)), None)
    named = [head.index(name) for name in _NAME_HEADS if has_head and name in head]
    names = next((at for at in (*named, *range(width)) if at < width and at != numbers), None)
    if names is None:
        raise UnusableNamesError("it has no column of names")
    if numbers is None:
        return columns[names]
    return _ordered(zip(map(int, columns[numbers]), columns[names], strict=True)) or []


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether these are the numbers of all classes, in any order."""
    return all(cell.isdecimal() and len(cell) < 7 for cell in cells) and _ordered((int(cell), "") for cell in cells) is not None


def _is_head(head: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: one of the usual words, or no number above a column of numbers."""
    if {*head} & {*_NAME_HEADS, *_FILE_HEADS, "id", "index", "classid", "class_id", "idx"}:
        return True
    columns = [[row[at] if at < len(row) else "" for row in rows] for at in range(len(head))]
    return len(rows) > 1 and any(not word.isdecimal() and all(map(str.isdecimal, cells)) for word, cells in zip(head, columns, strict=True))
