"""What the host chose when starting the page."""

from dataclasses import dataclass
from pathlib import Path

from errors import UserError


@dataclass(frozen=True)
class ServeOptions:
    """The flags of `python -m app serve`.

    models: what `models.loading.load` takes, the first one shown first; empty means the bundled classifiers.
    examples: a folder of pictures offered beside the bundled ones. concurrency: jobs that may ask the model at once.
    queue: visitors that may wait before the page says that it is busy. budget: seconds one explanation may take.
    """

    models: tuple[str, ...] = ()
    examples: Path | None = None
    host: str = "127.0.0.1"
    port: int = 7860
    concurrency: int = 1
    queue: int = 32
    budget: float = 60.0
    open_browser: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (("port", 0, 65535), ("concurrency", 1, 64), ("queue", 1, 10_000), ("budget", 1, 3600)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"--{name} is {value}; it must lie from {low} to {high}.")
        if self.examples is not None and not self.examples.is_dir():
            raise UserError(f"--examples is {self.examples}, which is no folder; give a folder of pictures.")
