"""The command that makes classifiers, run for real on very few pictures."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.cards.card import Card, file_sha256
from models.datasets.synthetic.phantoms import LABELS, draw_phantom
from models.train import main
from models.training.recipes import RECIPES
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
FEW = ["--pictures", "64", "--validation", "32", "--test", "32", "--epochs", "1"]


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "models.train", *words], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_help_names_every_recipe_without_loading_a_framework() -> None:
    answer = command("--help")
    assert answer.returncode == 0
    assert all(name in answer.stdout for name in RECIPES)
    loaded = "import sys, models.train; models.train.main(['glass_box', '--help'])"
    check = f"import atexit, sys; atexit.register(lambda: print('keras' in sys.modules, 'tensorflow' in sys.modules)); {loaded}"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()[-1] == "False False"


@pytest.mark.parametrize("name", ["phantoms", "phantoms_shortcut"])
def test_a_few_steps_write_a_model_that_loads_and_a_card_that_fits(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    assert main([name, "--out", str(tmp_path / "made"), "--seed", "3", *FEW]) == 0
    card = Card.read(tmp_path / "made" / f"{name}.json")
    weights = tmp_path / "made" / f"{name}.keras"
    assert card.name == name
    assert card.labels == LABELS
    assert card.size == (128, 128)
    assert card.sha256 == file_sha256(weights)
    assert card.made_by == f"python -m models.train {name} --seed 3 {' '.join(FEW)}"
    assert card.accuracy is not None
    assert card.calibration_error is not None
    model = keras.saving.load_model(weights, compile=False)
    answer = model.predict_on_batch(draw_phantom(1, "dots").image[None])
    assert answer.shape == (1, 4)
    assert answer.sum() == pytest.approx(1, abs=1e-5)
    printed = capsys.readouterr().out
    assert "Validation accuracy" in printed
    assert "change their answer when the evidence is taken away" in printed
    assert "Laying a ruler in" in printed


def test_the_last_grid_is_sixteen_and_the_network_small() -> None:
    from models.training.networks.bundled_cnn import build_small_cnn

    model = build_small_cnn("net", 128, 4)
    assert model.get_layer("relu5").output.shape[1:3] == (16, 16)
    assert model.count_params() * 4 < 1_000_000


def test_the_glass_box_is_the_same_every_time(tmp_path: Path) -> None:
    import keras

    for folder in ("one", "two"):
        assert main(["glass_box", "--out", str(tmp_path / folder), "--test", "40"]) == 0
    first, second = (keras.saving.load_model(tmp_path / folder / "glass_box.keras", compile=False) for folder in ("one", "two"))
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


def test_a_folder_that_cannot_be_made_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    answer = command("glass_box", "--test", "8", "--out", str(tmp_path / "file" / "below"))
    assert answer.returncode == 2
    assert "cannot be made" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_options_are_not_shortened_for_a_path_would_stay_on_the_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["glass_box", "--test", "4", f"--ou={tmp_path}"])
    assert left.value.code == 2
    assert "unrecognized arguments: --ou=" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "said"),
    [("phantoms", "there is no checkpoint, so that a stopped run begins again"), ("folder", "after them the rate begins at 0.2 of --rate")],
)
def test_help_says_what_a_recipe_does_not_do_and_does_unasked(recipe: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([recipe, "--help"])
    assert said in " ".join(capsys.readouterr().out.split())


def test_an_unknown_recipe_names_the_known_ones() -> None:
    answer = command("horses")
    assert answer.returncode == 2
    assert "phantoms_shortcut" in answer.stderr


@pytest.mark.parametrize(("option", "value"), [("--pictures", "8"), ("--epochs", "0"), ("--test", "-1"), ("--seed", "99")])
def test_a_number_out_of_range_is_one_sentence_and_exit_2(
    option: str, value: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["phantoms", "--out", str(tmp_path), option, value]) == 2
    assert f"{option} is {value}; give a whole number from" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    import keras

    for folder in ("one", "two"):
        assert main(["phantoms", "--out", str(tmp_path / folder), *FEW]) == 0
    first, second = (keras.saving.load_model(tmp_path / folder / "phantoms.keras", compile=False) for folder in ("one", "two"))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))
