"""The inputs of a network that is not a Keras model, with the attributes that `models.graph.model_inputs` reads from a Keras model."""

from dataclasses import dataclass

from errors import UserError


@dataclass(frozen=True)
class NetworkInput:
    """An input. shape: (n, H, W, channels) or (n, numbers), None for an open dimension. dtype: TensorFlow's name of the type.

    of_bytes: whether it is known to take pictures of 0..255.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    of_bytes: bool = False


class NonKerasNetwork:
    """A network that is not a Keras model. inputs: in the order of its call."""

    def __init__(self, name: str, inputs: list[NetworkInput], leaves: frozenset[str] = frozenset()) -> None:
        """name: the file's. leaves: names of the innermost layers, as far as they are known."""
        for each in inputs:
            if not each.shape:
                raise UserError(f"{name} takes input '{each.name}' without saying its shape; export it with one, (None, height, width, 3).")
        self.name, self.inputs, self.leaves = name, inputs, leaves
        self.notes: tuple[str, ...] = ()

    @property
    def input(self) -> list[NetworkInput]:
        """The structure of its argument: a list."""
        return self.inputs
