"""The inference script: the classifier's own answers, in words and as JSON, and a sentence for what is no picture."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.cards.card import Card, ClassLabel
from models.cards.metadata import NumberField
from models.images.decoder import decode_picture
from models.loading import load_classifier
from models.predict import main
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.png"))


def test_json_holds_the_classifiers_calibrated_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(EXAMPLES[0]), str(EXAMPLES[1]), "--model", "phantoms", "--top", "3", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    served = load_classifier("phantoms")
    assert served.card.temperature != 1
    for file, told in zip(EXAMPLES, lines, strict=False):
        expected = served.predict(served.fit(decode_picture(file.read_bytes())))
        assert told["picture"] == str(file)
        assert [each["class"] for each in told["prediction"]] == np.argsort(-expected)[:3].tolist()
        for each in told["prediction"]:
            assert each["label"] == served.labels[each["class"]]
            assert each["probability"] == pytest.approx(float(expected[each["class"]]), abs=1e-6)


def test_words_name_the_likeliest_class_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(EXAMPLES[0]), "--model", "glass_box", "--top", "9"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == str(EXAMPLES[0])
    shares = [float(line.split("%")[0]) for line in rest]
    assert len(rest) == 4
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.05)


def test_what_is_no_picture_is_said_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.jpg").write_text("no picture")
    given = [str(tmp_path / "notes.jpg"), str(tmp_path / "absent.png"), str(EXAMPLES[0]), "--model", "glass_box"]
    assert main(given) == 1
    said = capsys.readouterr()
    assert "notes.jpg: This file is not a picture" in said.err
    assert "absent.png: The file cannot be read (No such file or directory)" in said.err
    assert said.out.startswith(str(EXAMPLES[0]))
    assert main([*given[:2], "--model", "glass_box"]) == 2


def test_the_command_itself_prints_only_the_answer(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "models.predict", str(EXAMPLES[0]), "--model", "glass_box", "--json"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, env={"PATH": "", "CUDA_VISIBLE_DEVICES": "-1"})
    assert (told.returncode, told.stderr) == (0, "")
    assert len(json.loads(told.stdout)["prediction"]) == 4
    words[4:] = ["--model", str(tmp_path / "absent.keras")]
    told = subprocess.run([*words[:4], *words[4:]], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 2
    assert "There is no file or folder" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("top", ["0", "-1", "many", "²"])
def test_a_top_that_is_no_number_is_refused(top: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([str(EXAMPLES[0]), "--model", "glass_box", f"--top={top}"])
    assert left.value.code == 2
    assert "give a whole number from 1" in capsys.readouterr().err


def test_metadata_that_the_model_does_not_take_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(EXAMPLES[0]), "--model", "glass_box", "--metadata", "age=55"]) == 2
    assert "'age=55' is no metadata of this classifier" in capsys.readouterr().err


def test_what_was_told_beside_the_picture_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    picture, beside = keras.Input((8, 8, 3), name="picture"), keras.Input((2,), name="about")
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(picture))
    keras.Model([picture, beside], keras.layers.Dense(2, activation="softmax")(keras.layers.Concatenate()([mean, beside]))).save(
        tmp_path / "net.keras"
    )
    Card("net", (ClassLabel("a"), ClassLabel("b")), (8, 8), metadata=(NumberField("age", 50.0, 10.0, "years"),)).write(
        tmp_path / "net.json"
    )
    asked = [str(EXAMPLES[0]), "--model", str(tmp_path / "net.keras"), "--trust"]
    assert main(asked) == 0
    assert capsys.readouterr().out.startswith(f"{EXAMPLES[0]} (age missing)\n")
    assert main([*asked, "--metadata", "age=55", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"] == "age 55 years"


def test_a_model_of_a_stranger_is_asked_in_a_process_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.zoo_parts.models import topologies

    topologies.sequential().save(tmp_path / "net.keras")
    told = []
    for trust in ([], ["--trust"]):
        assert main([str(EXAMPLES[0]), "--model", str(tmp_path / "net.keras"), "--json", *trust]) == 0
        told.append(json.loads(capsys.readouterr().out)["prediction"])
    assert [each["class"] for each in told[0]] == [each["class"] for each in told[1]]
    assert [each["probability"] for each in told[0]] == pytest.approx([each["probability"] for each in told[1]], abs=1e-5)
