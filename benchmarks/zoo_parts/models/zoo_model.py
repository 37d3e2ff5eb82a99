"""A model of the zoo: what it is, and how its file is made."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

Around = Callable[[Path], AbstractContextManager[object]]


@dataclass(frozen=True)
class WrittenFiles:
    """ours: what `models.loading.load_classifier` is given. theirs, keras_2: the file given to a package of Keras 3, or of Keras 2."""

    ours: str
    theirs: Path
    keras_2: Path


@dataclass(frozen=True)
class ZooModel:
    """write(folder) makes the file in an empty folder. around(folder): what must be there while it is loaded, such as a server.

    differentiable: False where the answer is a staircase, whose differences are not its gradient. rare: needs the data folder.
    """

    name: str
    format: str
    write: Callable[[Path], WrittenFiles]
    around: Around = lambda _: nullcontext()
    differentiable: bool = True


def written_files(ours: str | Path, theirs: Path | None = None, keras_2: Path | None = None) -> WrittenFiles:
    """The same file for all, unless one is specified."""
    theirs = theirs or Path(ours)
    return WrittenFiles(str(ours), theirs, keras_2 or theirs)
