"""A spatial layer as explanations use it: its name, grid and channels, independent of the backend."""

from dataclasses import dataclass, field

PATCHES = (
    "This layer is a Vision Transformer's patches laid back on their grid, without the class token: attention has mixed them, "
    "so that a patch may speak of other places than its own."
)


@dataclass(frozen=True)
class GridLayer:
    """A tensor (n, h, w, k) on the way from picture to logit. branch: which of the model's last layers it leads to, from 0.

    patches: whether its cells are a Vision Transformer's patches. pictures: which of several picture inputs it depends on; empty for all.
    """

    name: str
    grid: tuple[int, int]
    channels: int
    branch: int
    last: bool
    patches: bool = field(default=False, kw_only=True)
    pictures: tuple[int, ...] = field(default=(), kw_only=True)

    @property
    def caveat(self) -> str:
        """What a reader of its maps should know; empty where its cells correspond directly to the picture."""
        return PATCHES if self.patches else ""
