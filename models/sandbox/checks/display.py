"""How what a file says is repeated to a person: short, on one line, and printable."""

import re

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_WHERE = ("Exception encountered when calling", "Error when deserializing")
"""How Keras begins an error of which the next line says why."""


def printable(word: object, most: int = 60) -> str:
    """`word` cut to `most` letters, with a question mark for what cannot be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(word)[:most])


def reason(error: Exception, most: int = 200) -> str:
    """The line of an error that says why, or its type where it says nothing."""
    lines = [line.strip() for line in _STYLE.sub("", str(error)).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(_WHERE)] or lines or [type(error).__name__]
    return printable(telling[0].removeprefix("Exception encountered: "), most)
