"""Makes text from an untrusted file safe to show: short, on one line, printable."""

import re

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_WHERE = ("Exception encountered when calling", "Error when deserializing")
"""First line of a Keras error whose next line gives the reason."""


def printable_text(word: object, most: int = 60) -> str:
    """`word` cut to `most` letters, with a question mark for each unprintable one."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(word)[:most])


def error_reason(error: Exception, most: int = 200) -> str:
    """The line of an error that gives its reason, or its type where it has no message."""
    lines = [line.strip() for line in _STYLE.sub("", str(error)).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(_WHERE)] or lines or [type(error).__name__]
    return printable_text(telling[0].removeprefix("Exception encountered: "), most)
