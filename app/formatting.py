"""Says numbers as a person would, on the page and on the command line."""


def format_estimate(seconds: float) -> str:
    """A forecast in round figures: under 1 s, about 3 s, about 2 min."""
    if seconds < 0.75:
        return "under 1 s"
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"
