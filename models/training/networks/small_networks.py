"""Two small networks to train from random weights: a residual convolutional one and a vision transformer."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

WIDTHS = (16, 32, 64, 128)
PATCH, WIDTH, BLOCKS, HEADS = 16, 96, 4, 4


def small_residual_network(picture: "keras.KerasTensor", widths: tuple[int, ...] = WIDTHS) -> Any:
    """(n, H, W, c) -> (n, H / 16, W / 16, 128): residual blocks (He et al. 2016, arXiv:1512.03385), each on half the grid of the last."""
    from keras import layers

    maps = _norm_relu(layers.Conv2D(widths[0], 5, 2, "same", use_bias=False, name="stem")(picture), "stem")
    for number, width in enumerate(widths[1:], 1):
        name = f"block{number}"
        short = layers.Conv2D(width, 1, use_bias=False, name=f"{name}_short")(layers.AveragePooling2D(2, name=f"{name}_mean")(maps))
        deep = _norm_relu(layers.Conv2D(width, 3, 2, "same", use_bias=False, name=f"{name}_a")(maps), f"{name}_a")
        deep = layers.Conv2D(width, 3, 1, "same", use_bias=False, name=f"{name}_b")(deep)
        deep = layers.BatchNormalization(momentum=0.9, name=f"{name}_b_norm")(deep)
        maps = layers.ReLU(name=name)(layers.Add(name=f"{name}_sum")([short, deep]))
    return maps


def small_vision_transformer(picture: "keras.KerasTensor") -> Any:
    """(n, H, W, c) -> (n, H / 16, W / 16, 96): Dosovitskiy et al. 2021, arXiv:2010.11929, sec. 3.1, with layer normalisation first.

    At the end the tokens are laid out on the grid of their patches again and mixed by a 1 x 1 convolution, so that maps can be drawn.
    """
    from keras import layers

    maps = layers.Conv2D(WIDTH, PATCH, PATCH, name="patches")(picture)
    rows, columns = maps.shape[1:3]
    tokens = layers.Reshape((rows * columns, WIDTH), name="tokens")(maps)
    places = layers.Embedding(rows * columns, WIDTH, name="places")
    tokens = layers.Add(name="placed")([tokens, places(_position_indices(tokens))])
    for number in range(1, BLOCKS + 1):
        normed = layers.LayerNormalization(epsilon=1e-6, name=f"block{number}_a_norm")(tokens)
        heeded = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=0.1, name=f"block{number}_attention")(normed, normed)
        tokens = layers.Add(name=f"block{number}_a")([tokens, heeded])
        normed = layers.LayerNormalization(epsilon=1e-6, name=f"block{number}_b_norm")(tokens)
        wide = layers.Dense(2 * WIDTH, activation="gelu", name=f"block{number}_wide")(normed)
        tokens = layers.Add(name=f"block{number}_b")([tokens, layers.Dense(WIDTH, name=f"block{number}_narrow")(wide)])
    tokens = layers.LayerNormalization(epsilon=1e-6, name="norm")(tokens)
    return layers.Conv2D(WIDTH, 1, activation="relu", name="grid")(layers.Reshape((rows, columns, WIDTH), name="laid_out")(tokens))


def _norm_relu(maps: Any, name: str) -> Any:
    from keras import layers

    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(maps))


def _position_indices(tokens: Any) -> Any:
    """(n, t, k) -> (1, t): the places' numbers."""
    from keras import ops

    return ops.arange(tokens.shape[1])[None]
