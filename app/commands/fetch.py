"""Downloads the weights that the page offers, before anybody chooses them."""

from tqdm import tqdm

from models.formats.imagenet_weights import TITLE, ImagenetWeights


def fetch_imagenet_weights() -> None:
    """Prints where they lie. UserError where they cannot be fetched or kept."""
    with tqdm(desc=TITLE, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(arrived: int, size: int) -> None:
            bar.total = size
            bar.update(arrived - bar.n)

        file = ImagenetWeights().fetch(show)
    print(f"{TITLE} is here: {file} ({file.stat().st_size / 1e6:.1f} MB).")
