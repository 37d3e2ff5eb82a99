"""Networks of unusual shape, of several inputs, and of unusual numbers."""

import keras
from keras import layers


def _body(picture: keras.KerasTensor, name: str, width: int = 8) -> keras.KerasTensor:
    x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}_first")(picture)
    return layers.Conv2D(width + 4, 3, strides=2, padding="same", activation="relu", name=f"{name}_last")(x)


def _pooled(picture: keras.KerasTensor, name: str, width: int = 8) -> keras.KerasTensor:
    return layers.GlobalAveragePooling2D()(_body(picture, name, width))


def siamese() -> keras.Model:
    """One encoder looks at two pictures, and the head at the difference and the sum of what it saw."""
    one, other, inner = (keras.Input((24, 24, 3), name=name) for name in ("one", "other", "inner"))
    encoder = keras.Model(inner, _pooled(inner, "shared"), name="encoder")
    first, second = encoder(one), encoder(other)
    both = layers.Concatenate()([layers.Subtract()([first, second]), layers.Add()([first, second])])
    return keras.Model([one, other], layers.Dense(3, activation="softmax")(both))


def two_pictures() -> keras.Model:
    """A small grey picture and a larger coloured one."""
    small, large = keras.Input((16, 16, 1), name="small"), keras.Input((32, 32, 3), name="large")
    both = layers.Concatenate()([_pooled(small, "grey"), _pooled(large, "colour")])
    return keras.Model([small, large], layers.Dense(3, activation="softmax")(both))


def beside_metadata() -> keras.Model:
    """A picture, and five numbers about the person."""
    picture, about = keras.Input((24, 24, 3), name="picture"), keras.Input((5,), name="about")
    both = layers.Concatenate()([_pooled(picture, "seen"), layers.Dense(4, activation="tanh")(about)])
    return keras.Model([picture, about], layers.Dense(3, activation="softmax")(both))


def u_shaped() -> keras.Model:
    """Down, up again with what was seen on the way down, and a classifier's head."""
    picture = keras.Input((32, 32, 3))
    one = layers.Conv2D(8, 3, padding="same", activation="relu", name="down1")(picture)
    two = layers.Conv2D(12, 3, padding="same", activation="relu", name="down2")(layers.MaxPooling2D()(one))
    deep = layers.Conv2D(16, 3, padding="same", activation="relu", name="deep")(layers.MaxPooling2D()(two))
    up = layers.Concatenate()([layers.UpSampling2D()(deep), two])
    up = layers.Conv2D(12, 3, padding="same", activation="relu", name="up2")(up)
    up = layers.Concatenate()([layers.Conv2DTranspose(8, 2, strides=2, name="up1")(up), one])
    last = layers.Conv2D(8, 3, padding="same", activation="relu", name="last")(up)
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(last)))


def two_heads() -> tuple[keras.Model, keras.Model]:
    """Two networks, each with a softmax of its own, on one and the same input."""
    picture = keras.Input((24, 24, 3))
    heads = [layers.Dense(3, activation="softmax")(_pooled(picture, name)) for name in ("left", "right")]
    return keras.Model(picture, heads[0]), keras.Model(picture, heads[1])


def tiny() -> keras.Model:
    """Pictures of 8 x 8 pixels."""
    return _plain((8, 8, 3))


def oblong() -> keras.Model:
    """Pictures twice as wide as high."""
    return _plain((24, 48, 3))


def of_any_size() -> keras.Model:
    """Its input has no height or width of its own."""
    return _plain((None, None, 3))


def _plain(shape: tuple[int | None, int | None, int], classes: int = 3) -> keras.Model:
    picture = keras.Input(shape)
    return keras.Model(picture, layers.Dense(classes, activation="softmax")(_pooled(picture, "plain")))


def one_sigmoid() -> keras.Model:
    """One unit: the positive class's probability."""
    picture = keras.Input((24, 24, 3))
    return keras.Model(picture, layers.Dense(1, activation="sigmoid")(_pooled(picture, "plain")))


def two_units() -> keras.Model:
    """Two units in a softmax, as if the two classes were many."""
    return _plain((24, 24, 3), 2)


def in_sixteen_bits() -> keras.Model:
    """Mixed precision: it computes in float16 and keeps its weights and its answer in float32."""
    picture = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="first", dtype="mixed_float16")(picture)
    x = layers.BatchNormalization(dtype="mixed_float16")(x)
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu", name="last", dtype="mixed_float16")(x)
    x = layers.GlobalAveragePooling2D(dtype="mixed_float16")(x)
    return keras.Model(picture, layers.Dense(3, activation="softmax", dtype="float32")(x))


def in_bfloat16() -> keras.Model:
    """As accelerators train it: eight bits of exponent, eight of fraction."""
    picture = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="first", dtype="mixed_bfloat16")(picture)
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu", name="last", dtype="mixed_bfloat16")(x)
    x = layers.GlobalAveragePooling2D(dtype="mixed_bfloat16")(x)
    return keras.Model(picture, layers.Dense(3, activation="softmax", dtype="float32")(x))


def channels_first() -> keras.Model:
    """Within, channels come before height and width."""
    picture = keras.Input((24, 24, 3))
    x = layers.Permute((3, 1, 2))(picture)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", data_format="channels_first", name="first")(x)
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu", data_format="channels_first", name="last")(x)
    x = layers.GlobalAveragePooling2D(data_format="channels_first")(x)
    return keras.Model(picture, layers.Dense(3, activation="softmax")(x))


def rescaling_inside() -> keras.Model:
    """A Rescaling layer takes 0..255."""
    picture = keras.Input((24, 24, 3))
    return keras.Model(picture, layers.Dense(3, activation="softmax")(_pooled(layers.Rescaling(1 / 127.5, offset=-1)(picture), "plain")))


def normalisation_inside() -> keras.Model:
    """A Normalization layer knows mean and variance of 0..1."""
    picture = keras.Input((24, 24, 3))
    x = layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.052, 0.05, 0.051])(picture)
    return keras.Model(picture, layers.Dense(3, activation="softmax")(_pooled(x, "plain")))


def preprocessing_traced() -> keras.Model:
    """`preprocess_input` was called on the input, so that its operations are part of the model."""
    picture = keras.Input((24, 24, 3))
    scaled = keras.applications.mobilenet_v2.preprocess_input(picture)
    return keras.Model(picture, layers.Dense(3, activation="softmax")(_pooled(scaled, "plain")))


def squeeze_and_excite() -> keras.Model:
    """Channels are weighted by what all places together say (Hu et al. 2018, arXiv:1709.01507)."""
    picture = keras.Input((32, 32, 3))
    maps = _body(picture, "seen")
    weights = layers.Dense(12, activation="sigmoid")(layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(maps)))
    last = layers.Multiply(name="weighted")([maps, layers.Reshape((1, 1, 12))(weights)])
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(last)))


def leaky_and_separable() -> keras.Model:
    """Separable convolutions, group normalisation, leaky and parametric slopes, and the largest value of each channel."""
    picture = keras.Input((32, 32, 3))
    x = layers.LeakyReLU()(layers.SeparableConv2D(8, 3, strides=2, padding="same", name="separable")(picture))
    x = layers.GroupNormalization(4)(layers.Conv2D(12, 3, padding="same", name="last")(x))
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalMaxPooling2D()(layers.PReLU(shared_axes=[1, 2])(x))))


def small_vit() -> keras.Model:
    """A Vision Transformer of built-in layers alone, whose head reads the mean of its patches."""
    picture = keras.Input((32, 32, 3))
    tokens = layers.Reshape((16, 12))(layers.Conv2D(12, 8, strides=8, name="patches")(picture))
    tokens = layers.Add()([tokens, layers.Embedding(16, 12, name="places")(keras.ops.arange(16)[None])])
    for number in (1, 2):
        normed = layers.LayerNormalization(name=f"norm{number}a")(tokens)
        tokens = layers.Add(name=f"mixed{number}")([tokens, layers.MultiHeadAttention(3, 4, name=f"attention{number}")(normed, normed)])
        wide = layers.Dense(24, activation="gelu", name=f"wide{number}")(layers.LayerNormalization(name=f"norm{number}b")(tokens))
        tokens = layers.Add(name=f"out{number}")([tokens, layers.Dense(12, name=f"narrow{number}")(wide)])
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(tokens)))
