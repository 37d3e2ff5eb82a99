"""`python -m app explain` as a person runs it: what it writes, what it refuses, and that it leaves nothing half done."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.commands.explain import explain_pictures
from app.commands.manifest import to_strict_json
from app.commands.output_folder import atomic_directory, printable_file_name, unique_folder_names
from app.commands.provenance import git_commit_hash
from app.options import ExplainOptions
from app.rendering import DIVERGING, colour_lookup_table
from explainers.grid import enlarge_map
from explainers.methods import METHODS
from models.loading import load_classifier
from tests.patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]
RNG = np.random.default_rng(0)


def app(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "app", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small photograph-like picture, an upright 16-bit grey one, one of the same name elsewhere, and a web page named .jpg."""
    folder = tmp_path_factory.mktemp("pictures")
    smooth = np.asarray(Image.fromarray(RNG.integers(0, 256, (6, 9, 3), np.uint8)).resize((300, 200)))
    Image.fromarray(smooth).save(folder / "spot.png")
    Image.fromarray(np.linspace(0, 65_535, 90 * 2200).astype(np.uint16).reshape(2200, 90)).save(folder / "x-ray.tiff")
    (folder / "other").mkdir()
    Image.fromarray(smooth[::-1]).save(folder / "other" / "spot.jpg")
    (folder / "page.jpg").write_bytes(b"<!doctype html><title>404</title>")
    return folder


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("out") / "deep" / "run"
    files = [pictures / "spot.png", pictures / "page.jpg", pictures / "x-ray.tiff", pictures / "other" / "spot.jpg"]
    return out, app("explain", *files, "--model", "glass_box", "--preset", "fast", "--seed", "7", "--out", out)


def test_one_bad_picture_does_not_stop_the_others(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, done = run
    assert done.returncode == 1, done.stderr
    assert "page.jpg: This file is a web page, not a picture" in done.stderr
    assert "Traceback" not in done.stderr
    manifest = json.loads((out / "manifest.json").read_text())
    assert [entry["file"] for entry in manifest["pictures"]] == ["spot.png", "page.jpg", "x-ray.tiff", "spot.jpg"]
    assert "web page" in manifest["pictures"][1]["error"]
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "maps.npz", "spot", "spot_2", "x-ray"]
    assert [path.name for path in out.parent.iterdir()] == ["run"]


def test_every_picture_and_method_has_an_overlay_and_its_maps(run: tuple[Path, subprocess.CompletedProcess[str]], pictures: Path) -> None:
    out, _ = run
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["schema"] == 2
    assert manifest["settings"]["seed"] == 7
    assert manifest["model"]["sha256"] == hashlib.sha256((ROOT / "models/store/glass_box.keras").read_bytes()).hexdigest()
    assert {"crosscheck", "tensorflow", "scipy", "scikit-learn", "scikit-image", "opencv-python-headless"} <= set(manifest["versions"])
    size = tuple(manifest["model"]["card"]["size"])
    with np.load(out / "maps.npz") as maps:
        for entry, file in zip(manifest["pictures"], ("spot.png", None, "x-ray.tiff", "other/spot.jpg"), strict=True):
            if file is None:
                continue
            assert entry["sha256"] == hashlib.sha256((pictures / file).read_bytes()).hexdigest()
            assert entry["explained"]["label"] == entry["prediction"][0]["label"]
            assert [each["title"] for each in entry["maps"]] == [method.title for method in METHODS]
            assert entry["evaluations"] >= sum(each["evaluations"] for each in entry["maps"]) > 0
            for each in entry["maps"]:
                assert "error" not in each, each
                native, full = maps[each["native"]], maps[each["full"]]
                assert native.dtype == full.dtype == np.float32
                assert list(native.shape) == each["grid"]
                np.testing.assert_array_equal(full, enlarge_map(native, size))
                with Image.open(out / each["overlay"]) as picture:
                    assert picture.size[0] % size[1] == 0


def test_the_manifest_and_the_maps_suffice_to_check_and_to_place_the_maps(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, _ = run
    spot, _, upright, _ = json.loads((out / "manifest.json").read_text())["pictures"]
    place = {"content": [21, 0, 85, 128], "shown": [0, 0, 200, 300]}
    assert spot["geometry"] == {"size": [200, 300], "map_size": [128, 128], "fit": "letterbox", **place}
    assert upright["geometry"]["size"] == upright["geometry"]["shown"][2:] == [2200, 90]  # decoded at half the size
    assert [layer["channels"] > 0 for layer in spot["layers"]] == [True]
    each = {each["method"]: each for each in spot["maps"]}
    scores = spot["scores"]
    with np.load(out / "maps.npz") as maps:
        labels = maps[spot["segments"]]
        assert labels.shape == (128, 128)
        assert sorted(np.unique(labels)) == list(range(labels.max() + 1))
        total = maps[each["shap"]["native"]].sum()
        assert total == pytest.approx(scores["picture"] - scores["fills"]["blur"], rel=1e-3, abs=1e-3)
        signed = maps[each["grad_cam"]["native_signed"]]
        assert each["grad_cam"]["native_signed"] == "spot/grad_cam_signed"
        np.testing.assert_array_equal(maps[each["grad_cam"]["native"]], np.maximum(signed, 0))


def test_what_is_no_number_is_null_in_the_manifest() -> None:
    text = to_strict_json({"a": [1.5, float("nan"), (float("inf"), "NaN")], "b": {"c": -float("inf"), "d": None}})
    assert json.loads(text) == {"a": [1.5, None, [None, "NaN"]], "b": {"c": None, "d": None}}


def test_the_commit_is_reported_where_there_is_one(tmp_path: Path) -> None:
    assert git_commit_hash(tmp_path) == "unknown"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@y"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert git_commit_hash(tmp_path) == head
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    assert git_commit_hash(tmp_path) == f"{head}-dirty"


def test_the_strongest_place_of_a_signed_map_has_its_colour_in_the_overlay(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, _ = run
    manifest = json.loads((out / "manifest.json").read_text())
    each = next(each for each in manifest["pictures"][0]["maps"] if each["method"] == "lime")
    with np.load(out / "maps.npz") as maps, Image.open(out / each["overlay"]) as picture:
        full, pixels = maps[each["full"]], np.asarray(picture).astype(float)
    times = pixels.shape[0] // full.shape[0]
    strongest = np.abs(full) == np.abs(full).max()
    blocks = pixels.reshape(full.shape[0], times, full.shape[1], times, 3).mean((1, 3))[strongest]
    colour = colour_lookup_table(DIVERGING[0])[255 if full[strongest][0] > 0 else 1]
    assert np.abs(blocks - colour).min(0).max() <= 0.16 * 255 + 1  # 94 % of the colour, at most a tenth darker; the rest is photograph


def test_the_same_command_gives_the_same_maps(run: tuple[Path, subprocess.CompletedProcess[str]], pictures: Path, tmp_path: Path) -> None:
    again = app(
        "explain", pictures / "spot.png", "--model", "glass_box", "--preset", "fast", "--seed", "7", "--out", tmp_path / "b", "--quiet"
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout == ""
    with np.load(run[0] / "maps.npz") as first, np.load(tmp_path / "b" / "maps.npz") as second:
        for name in second:
            np.testing.assert_allclose(second[name], first[name], rtol=1e-4, atol=1e-6)


def test_a_name_that_is_printed_gives_a_terminal_no_orders() -> None:
    assert printable_file_name(os.fsdecode(b"a\x1b[2J\n\xff.png")) == "a?[2J?\\xff.png"
    assert printable_file_name(Path("ü b.png")) == "ü b.png"


def test_no_name_of_a_picture_loses_the_others(pictures: Path, tmp_path: Path) -> None:
    """Names of what is written beside the pictures' folders, names that are no UTF-8, and names that file systems refuse."""
    data = (pictures / "spot.png").read_bytes()
    given = [b"ok.png", b"maps.npz.png", b"manifest.json.jpg", b"bad\xff.jpg", b"new\nline.png", "ü".encode() * 120 + b".png"]
    for name in given:
        (tmp_path / os.fsdecode(name)).write_bytes(data)
    files = [tmp_path / os.fsdecode(name) for name in given]
    done = app("explain", *files, "--model", "glass_box", "--methods", "grad_cam", "--measures", "none", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "bad\\xff.jpg: " in done.stdout
    folders = ["ok", "maps.npz_2", "manifest.json_2", "bad_", "new_line", "ü" * 100]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*folders, "maps.npz", "manifest.json"])
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert [entry["file"] for entry in manifest["pictures"][1:4]] == ["maps.npz.png", "manifest.json.jpg", "bad\\xff.jpg"]
    with np.load(tmp_path / "out" / "maps.npz") as maps:
        assert {name.split("/")[0] for name in maps} == set(folders)
        assert [entry["maps"][0]["native"] in maps for entry in manifest["pictures"]] == [True] * 6


@pytest.mark.parametrize("fails", ["mkdir", "write_bytes"])
def test_a_picture_whose_results_cannot_be_written_leaves_the_others(
    fails: str, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    genuine = getattr(Path, fails)

    def full(path: Path, *words: object, **named: object) -> object:
        if "x-ray" in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return genuine(path, *words, **named)

    monkeypatch.setattr(Path, fails, full)
    files = [pictures / "spot.png", pictures / "x-ray.tiff", pictures / "other" / "spot.jpg"]
    options = ExplainOptions(tuple(files), "glass_box", methods=("grad_cam",), measures="none", out=tmp_path / "out", quiet=True)
    assert explain_pictures(options, lambda: load_classifier("glass_box")) == 1
    assert "x-ray.tiff: What was found cannot be written (No space left on device)." in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.json", "maps.npz", "spot", "spot_2"]
    with np.load(tmp_path / "out" / "maps.npz") as maps:
        assert {name.split("/")[0] for name in maps} == {"spot", "spot_2"}
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())["pictures"]
    assert ["error" in entry for entry in told] == [False, True, False]


def test_folder_names_differ_whatever_the_file_system_thinks_of_case() -> None:
    names = ["a/Spot.png", "b/spot.jpg", "c/spot_2.png", "d/....png", "MAPS.NPZ.png", 'e/what?"<.png']
    assert unique_folder_names([Path(name) for name in names]) == ["Spot", "spot_2", "spot_2_2", "picture", "MAPS.NPZ_2", "what___"]


def test_target_contrast_methods_and_parameters(pictures: Path, tmp_path: Path) -> None:
    words = ["--target", "1", "--rather-than", "0", "--methods", "Grad-CAM,shap", "--set", "shap.estimator=regression"]
    done = app("explain", pictures / "spot.png", "--model", "phantoms", "--preset", "fast", "--out", tmp_path / "out", *words)
    assert done.returncode == 0, done.stderr
    entry = json.loads((tmp_path / "out" / "manifest.json").read_text())["pictures"][0]
    assert (entry["explained"]["target"], entry["explained"]["rather_than"], entry["explained"]["kind"]) == (1, 0, "contrast")
    assert [each["method"] for each in entry["maps"]] == ["grad_cam", "shap"]
    assert entry["maps"][1]["parameters"]["estimator"] == "regression"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--methods", "gradcamm"], "There is no method 'gradcamm'; choose from grad_cam"),
        (["--set", "lime"], "write METHOD.PARAMETER=VALUE"),
        (["--set", "lime.colour=3"], "LIME has no parameter 'colour'"),
        (["--set", "shap.estimator=magic"], "SHAP: estimator is 'magic'; it must be one of"),
        (["--methods", "lime", "--set", "shap.estimator=regression"], "not among the chosen methods"),
        (["--rather-than", "a", "--score", "logit"], "give one of them"),
        (["--fill", "purple"], "The fill is 'purple'"),
        (["--seed", "-1"], "seed"),
        (["--segments", "1"], "The setting 'segments' is 1; it must lie from 2 to 400."),
        (["--budget", "2"], "The setting 'budget' is 2; it must lie from 16 to 1000000."),
        (["--layer", "attic"], "The model has no spatial layer 'attic'; it has "),
        (["--model", "nowhere.keras"], "There is no file or folder nowhere.keras"),
        (["--target", "blue vail"], "There is no class 'blue vail'; try 'blue veil'"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(words: list[str], sentence: str, pictures: Path, tmp_path: Path) -> None:
    done = app("explain", pictures / "spot.png", "--out", tmp_path / "out", *words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_no_picture_at_all(pictures: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = app("explain", tmp_path / "no.png", pictures, pipe, "--model", "glass_box", "--out", tmp_path / "out")
    assert done.returncode == 2
    for sentence in ("no.png: There is no such file", "This is not a file", "No picture could be explained"):
        assert sentence in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_an_existing_folder_is_not_touched(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    done = app("explain", pictures / "spot.png", "--out", tmp_path)
    assert done.returncode == 2
    assert "exists and is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("how", "left"), [(signal.SIGTERM, 0), (signal.SIGKILL, 1)])
def test_an_interrupted_run_leaves_no_half_folder(how: signal.Signals, left: int, pictures: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "app",
        "explain",
        *[str(pictures / "spot.png")] * 200,
        "--model",
        "glass_box",
        "--out",
        str(tmp_path / "out"),
    ]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until(lambda: list(tmp_path.glob(".out.*/spot/*.png")) or running.poll() is not None)
    assert running.poll() is None, running.communicate()
    running.send_signal(how)
    _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode != 0
    assert "Traceback" not in errors
    assert not (tmp_path / "out").exists()
    assert len(list(tmp_path.iterdir())) == left  # killed outright, it leaves a hidden folder of another name
    with atomic_directory(tmp_path / "out"):
        assert len(list(tmp_path.iterdir())) == 1  # which the next run deletes


def test_only_what_dead_processes_left_of_the_same_folder_is_deleted(tmp_path: Path) -> None:
    stale, others = tmp_path / ".out.0123abcd", [tmp_path / name for name in (".out.mine", ".outer.0123abcd", "out.0123abcd")]
    for folder in (stale, *others):
        (folder / "spot").mkdir(parents=True)
    with atomic_directory(tmp_path / "out") as first:
        assert not stale.exists()
        hold = "import sys; from pathlib import Path; from app.commands.output_folder import atomic_directory\n"
        hold += "with atomic_directory(Path(sys.argv[1])) as folder: print(folder, len(list(folder.parent.iterdir())))"
        answer = subprocess.run([sys.executable, "-c", hold, tmp_path / "out"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
        assert answer.stdout.split()[1] == "5", answer.stderr  # the other three, the first one's, its own
        assert first.is_dir()
    assert all((folder / "spot").is_dir() for folder in others)
