"""Numbers in the words of the page and of the command line."""


def format_duration(seconds: float) -> str:
    """A measured time: 0.4 s, 12 s, 3 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def format_estimated_time(seconds: float) -> str:
    """An estimated time in round figures: under 1 s, about 3 s, about 2 min."""
    if seconds < 0.75:
        return "under 1 s"
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def format_probability(value: float) -> str:
    """A percentage that does not claim certainty: never 100 % or 0 %."""
    if value >= 0.9995:
        return "over 99.9 %"
    return "under 0.1 %" if value < 0.0005 else f"{100 * value:.1f} %"


def format_quantity(value: float, unit: str) -> str:
    """A measured quantity in four digits, with its unit and a true minus sign: 37.21 years."""
    return f"{value:.4g} {unit}".strip().replace("-", "−")


def format_fraction(value: float | None) -> str:
    """Three digits; empty where there is no value."""
    return "" if value is None else f"{value:.3f}"


def format_p_value(p: float) -> str:
    """A p-value; never 0."""
    return "under 0.001" if p < 0.001 else f"{p:.3f}"


def format_score(value: float) -> str:
    """Two digits and a true minus sign; never a zero below zero."""
    words = f"{value:.2f}"
    return "0.00" if words == "-0.00" else words.replace("-", "−")


def format_count_with_noun(count: int, noun: str) -> str:
    """A count with its noun: 1 map, 2,000 maps."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
