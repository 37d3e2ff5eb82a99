"""What the command line takes as words, before anything heavy is loaded."""

import os
import runpy
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import app.page
from app.cli import main
from app.options import ExplainOptions, ServeOptions
from explainers.explanation_case import ExplanationSettings
from tests.patience import PATIENCE, until
from tests.serving import serving
from tools.imports import ROOT


def served(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> ServeOptions:
    seen: list[ServeOptions] = []
    monkeypatch.setattr(app.page, "serve", seen.append)
    monkeypatch.setattr("app.cli.silence_tensorflow", lambda: None)  # this process's own errors are pytest's
    assert main(arguments) == 0
    return seen[0]


def test_serving_is_what_happens_without_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert served(monkeypatch) == ServeOptions()
    assert served(monkeypatch, "--model", "phantoms", "--port", "0") == ServeOptions(models=("phantoms",), port=0)
    options = served(
        monkeypatch, "serve", "--model", "phantoms", "--model", "glass_box", "--concurrency", "2", "--queue", "5", "--budget", "9.5"
    )
    assert options == ServeOptions(models=("phantoms", "glass_box"), concurrency=2, queue=5, budget=9.5)


def test_the_environment_stands_for_flags_and_flags_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROSSCHECK_MODEL", " hf://a/b, glass_box,")
    monkeypatch.setenv("CROSSCHECK_EXAMPLES", str(tmp_path))
    monkeypatch.setenv("CROSSCHECK_TITLE", "Class 9b")
    monkeypatch.setenv("CROSSCHECK_BUDGET", "7.5")
    expected = ServeOptions(models=("hf://a/b", "glass_box"), examples=tmp_path, title="Class 9b", budget=7.5)
    assert served(monkeypatch) == expected
    given = served(
        monkeypatch, "--model", "phantoms", "--budget", "9", "--title", "Ours", "--examples", str(tmp_path.parent), "--no-download"
    )
    assert given == ServeOptions(models=("phantoms",), examples=tmp_path.parent, title="Ours", budget=9, download=False)
    for name in ("MODEL", "EXAMPLES", "TITLE", "BUDGET"):
        monkeypatch.setenv(f"CROSSCHECK_{name}", "")
    assert served(monkeypatch) == ServeOptions(), "an empty variable is none"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("CROSSCHECK_BUDGET", "a minute", "CROSSCHECK_BUDGET is 'a minute', which is no number; give seconds, such as 60."),
        ("CROSSCHECK_BUDGET", "0", "--budget is 0.0; it must lie from 1 to 3600."),
        ("CROSSCHECK_EXAMPLES", "/no/such", "--examples is /no/such, which is no folder; give a folder of pictures."),
        ("CROSSCHECK_TITLE", "x" * 61, "--title has 61 characters; give from 1 to 60 that can be printed."),
    ],
)
def test_a_wrong_variable_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("app.cli.silence_tensorflow", lambda: None)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == f"{sentence}\n"


def test_a_space_fetches_first_and_opens_also_without_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[ServeOptions] = []
    monkeypatch.setattr(app.page, "serve", seen.append)
    monkeypatch.setattr("app.cli.silence_tensorflow", lambda: None)
    monkeypatch.setenv("CROSSCHECK_IMAGENET_SOURCE", "http://127.0.0.1:9/weights.h5")
    monkeypatch.setenv("CROSSCHECK_CACHE", str(tmp_path))
    with pytest.raises(SystemExit, match=r"^0$"):
        runpy.run_path(str(ROOT / "space.py"), run_name="__main__")
    assert seen == [ServeOptions(host="0.0.0.0")]
    assert "127.0.0.1 cannot be reached" in capsys.readouterr().err


def test_help_names_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["serve", "--help"])
    told = capsys.readouterr().out
    assert [name for name in ("MODEL", "EXAMPLES", "TITLE", "BUDGET") if f"CROSSCHECK_{name}" not in told] == []


def test_the_version_is_that_of_the_newest_entry_in_the_changelog(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert capsys.readouterr().out == f"Crosscheck {app.__version__}\n"
    newest = next(line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line.startswith("## "))
    assert newest.split()[1] == app.__version__


def test_a_container_says_where_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8123")
    assert served(monkeypatch) == ServeOptions(host="0.0.0.0", port=8123)
    assert served(monkeypatch, "--host", "::1") == ServeOptions(host="::1", port=8123)


def test_flags_of_explain_reach_its_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[ExplainOptions] = []
    monkeypatch.setattr("app.commands.explain.explain_pictures", lambda options, begun: seen.append(options) or 0)
    monkeypatch.setattr("app.cli.silence_tensorflow", lambda: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert main(["explain", "a.png", "--out", str(tmp_path / "o")]) == 0
    words = "--segments 40 --budget 99 --layer one --layer two --set lime.x=1 --methods lime shap"
    assert main(["explain", "a.png", "b.png", "--out", str(tmp_path / "o"), *words.split()]) == 0
    plain = ExplainOptions((Path("a.png"),), "phantoms", tmp_path / "o")
    assert seen[0] == plain
    both, methods = (Path("a.png"), Path("b.png")), ("lime", "shap")
    changes = {"segments": 40, "budget": 99, "layers": ("one", "two"), "parameters": ("lime.x=1",)}
    assert seen[1] == replace(plain, pictures=both, methods=methods, **changes)
    usual = ExplanationSettings()
    assert (plain.preset, plain.fill, plain.segments, plain.seed) == (usual.preset, usual.fill, usual.segments, usual.seed)
    assert (plain.budget, plain.layers) == (usual.budget, usual.layers)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "70000"], "--port is 70000; it must lie from 0 to 65535."),
        (["--concurrency", "0"], "--concurrency is 0; it must lie from 1 to 64."),
        (["--budget", "nan"], "--budget is nan; it must lie from 1 to 3600."),
        (["--examples", "no/such/folder"], "--examples is no/such/folder, which is no folder; give a folder of pictures."),
    ],
)
def test_a_wrong_setting_is_one_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == sentence + "\n"


def test_the_page_s_address_and_python_s_errors_are_seen_and_native_noise_is_not() -> None:
    speak = "lambda options: (os.write(2, b'noise'), print('address'), print('error', file=sys.stderr))"
    code = f"import os, sys, app.page; from app.cli import main; app.page.serve = {speak}; main([])"
    plain = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    for more, errors in (({}, "error\n"), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "noiseerror\n")):
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run([sys.executable, "-c", code], env=plain | more, cwd=root, capture_output=True, text=True, timeout=PATIENCE)
        assert (done.stdout, done.stderr) == ("address\n", errors)


def test_an_interrupt_while_a_classifier_loads_is_quiet() -> None:
    with serving() as server:
        until(lambda: "tensorflow" in Path(f"/proc/{server.process.pid}/maps").read_text())  # it is being imported
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE) in (0, 130), "0 where this very test was begun with interrupts switched off"
    assert "Traceback" not in "".join(server.log)


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--modle", "x"])
    assert refused.value.code == 2


@pytest.mark.parametrize(
    ("name", "words"), [("no/such/model.keras", "There is no file or folder no/such"), ("imagenet:Nothing", "no ImageNet")]
)
def test_a_page_for_a_model_that_does_not_exist_ends_at_once(name: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--model", "phantoms", "--model", name]) == 2
    assert words in capsys.readouterr().err
