"""Converts display space (RGB 0..1) to the model's input space, as its card says, inside the compiled function."""

import tensorflow as tf

from models.cards.card import Card
from models.cards.channel_statistics import CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN, LUMINANCE


def preprocess_images(images: tf.Tensor, card: Card, channels: int) -> tf.Tensor:
    """(n, H, W, 3) RGB 0..1 -> (n, H, W, channels) as the model expects it. "caffe" is 0..255 minus ImageNet's mean colour."""
    if card.colour == "grey":
        grey = tf.reduce_sum(images * LUMINANCE, axis=-1, keepdims=True)
        images = tf.repeat(grey, 3, axis=-1)
    images = _scale(images, card.scaling)
    if card.colour == "bgr":
        images = images[..., ::-1]
    return images[..., :1] if channels == 1 else images


def _scale(images: tf.Tensor, scaling: str) -> tf.Tensor:
    match scaling:
        case "0..1":
            return images
        case "-1..1":
            return images * 2.0 - 1.0
        case "0..255":
            return images * 255.0
        case "imagenet":
            return (images - IMAGENET_MEAN) / IMAGENET_DEVIATION
        case "caffe":
            return images * 255.0 - CAFFE_MEAN
        case "per-picture":
            return tf.image.per_image_standardization(images)
    raise AssertionError(scaling)
