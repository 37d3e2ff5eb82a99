"""A new recipe is one file and a line in RECIPES, a new layout one file and its line in LAYOUTS. Done in a copy of the project."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
RECIPE = '''
"""A classifier of two classes by brightness; nothing is trained."""

from argparse import ArgumentParser, Namespace

from models.cards.card import Card, ClassLabel
from models.training.trained_model import TrainedModel

HELP = "dark or bright"


def add_options(parser: ArgumentParser) -> None:
    """The side of the picture."""
    parser.add_argument("--size", type=int, default=32)


def make_classifier(options: Namespace) -> TrainedModel:
    """Sets two weights by hand."""
    import keras
    import numpy as np

    picture = keras.Input((options.size, options.size, 3))
    mean = keras.layers.GlobalAveragePooling2D()(picture)
    model = keras.Model(picture, keras.layers.Dense(2, activation="softmax")(mean))
    model.layers[-1].set_weights([np.array([[-4.0, 4.0]] * 3), np.array([6.0, -6.0])])
    labels = (ClassLabel("dark"), ClassLabel("bright"))
    return TrainedModel(model, Card(name="brightness", labels=labels, size=(options.size, options.size), licence="CC0-1.0"))
'''
LAYOUT = '''
"""Pictures named after their class: CLASS-anything.png. Licence: whatever the pictures have."""

from pathlib import Path

from models.cards.card import ClassLabel
from models.datasets.picture_collection import CollectionRow, PictureCollection
from models.datasets.folder_listing import layout_mismatch_error

LICENCE = "unknown"
SOURCE = "A folder of pictures named after their class"
EXPECTED = "pictures called CLASS-anything.png"


def read_dataset_folder(folder: Path) -> PictureCollection:
    """Each picture is a group of its own."""
    files = sorted(folder.glob("*-*.png"))
    if not files:
        raise layout_mismatch_error(folder, EXPECTED)
    classes = sorted({file.stem.split("-")[0] for file in files})
    rows = tuple(CollectionRow(file, classes.index(file.stem.split("-")[0]), file.stem) for file in files)
    return PictureCollection(folder.name, tuple(map(ClassLabel, classes)), rows, LICENCE, SOURCE)
'''


def add_line(file: Path, before: str, line: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, (file, before)
    file.write_text(text.replace(before, line + before), encoding="utf-8")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more recipe and one more layout; what neither touches is only linked."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "models", folder / "models", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app", "explainers", "examples", "errors.py", "image_batches.py", "plain_arrays.py", "plain_files.py"):
        (folder / name).symlink_to(ROOT / name)
    recipes, layouts = folder / "models" / "training" / "recipes", folder / "models" / "datasets" / "layouts"
    (recipes / "brightness.py").write_text(RECIPE.lstrip(), encoding="utf-8")
    add_line(recipes / "__init__.py", '    "phantoms": ', '    "brightness": "models.training.recipes.brightness",\n')
    (layouts / "named_files.py").write_text(LAYOUT.lstrip(), encoding="utf-8")
    add_line(layouts / "__init__.py", '    "ham10000": ', '    "named_files": named_files.read_dataset_folder,\n')
    add_line(layouts / "__init__.py", "\nLAYOUTS: ", "from models.datasets.layouts import named_files\n")
    return folder


def run(folder: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, "-B", "-m", *words], cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_recipe_makes_a_model_that_predicts(copied: Path, tmp_path: Path) -> None:
    assert "dark or bright" in run(copied, "models.train", "--help")
    run(copied, "models.train", "brightness", "--out", str(tmp_path))
    card = json.loads((tmp_path / "brightness.json").read_text(encoding="utf-8"))
    assert card["made_by"] == "python -m models.train brightness"
    picture = next((ROOT / "examples").glob("phantom_*plain.png"))
    answer = json.loads(run(copied, "models.predict", str(picture), "--model", str(tmp_path / "brightness.keras"), "--trust", "--json"))
    assert {each["label"] for each in answer["prediction"]} == {"dark", "bright"}


def test_a_layout_is_read_and_detected(copied: Path, tmp_path: Path) -> None:
    for number, source in enumerate(sorted((ROOT / "examples").glob("patches_*.png"))[:4]):
        shutil.copy(source, tmp_path / f"{'even' if number % 2 else 'odd'}-{number}.png")
    code = "import sys; from pathlib import Path; from models.datasets import layouts\n"
    code += (
        "read, found = layouts.read_picture_collection('named_files', Path(sys.argv[1])), layouts.detect_folder_layout(Path(sys.argv[1]))\n"
    )
    code += "print([label.name for label in read.labels], len(read.rows), found.labels == read.labels)"
    done = subprocess.run([sys.executable, "-B", "-c", code, str(tmp_path)], cwd=copied, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "['even', 'odd'] 4 True\n", done.stderr
