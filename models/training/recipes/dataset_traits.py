"""What an image recipe knows of its data set."""

from dataclasses import dataclass

from models.cards.card import Colour, Fit
from models.training.augmentation import Augmentation


@dataclass(frozen=True)
class DatasetTraits:
    """layout: how the folder is read. augmentation: changes that leave the class as it is.

    fit: how an image is brought to the model's size. colour: "grey" where colour is irrelevant: the small networks then take one channel.
    metadata: names of the metadata that the classifier takes as a second input. group: regular expression that finds in a file's name
    which person the image is of, where the layout does not know.
    """

    layout: str
    augmentation: Augmentation
    fit: Fit = "letterbox"
    colour: Colour = "rgb"
    metadata: tuple[str, ...] = ()
    group: str = ""
