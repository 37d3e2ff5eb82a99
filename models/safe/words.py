"""How what a file says is repeated to a person: short, on one line, and printable."""


def shown(word: object, most: int = 60) -> str:
    """`word` cut to `most` letters, with a question mark for what cannot be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(word)[:most])
