"""The inputs of a network that is no Keras model, in the words in which `models.graph.inputs` asks a Keras model for its own."""

from dataclasses import dataclass

from errors import UserError


@dataclass(frozen=True)
class InputPort:
    """An input. shape: (n, H, W, channels) or (n, numbers), None for what is open. dtype: TensorFlow's name for its kind of number."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"


class Network:
    """What answers pictures without being a Keras model. inputs: in the order in which it takes them."""

    def __init__(self, name: str, inputs: list[InputPort], leaves: frozenset[str] = frozenset()) -> None:
        """name: the file's. leaves: names of the innermost layers, as far as they are known."""
        for each in inputs:
            if not each.shape:
                raise UserError(f"{name} takes input '{each.name}' without saying its shape; export it with one, (None, height, width, 3).")
        self.name, self.inputs, self.leaves = name, inputs, leaves

    @property
    def input(self) -> list[InputPort]:
        """The structure that it is called with: a list."""
        return self.inputs
