"""A new model format is one file and one line with its import: a copy of the sources shows that every list and opener knows it."""

import shutil
import subprocess
import sys
from pathlib import Path

from models.formats.__main__ import BEGIN, END
from models.formats.format_registry import markdown_format_table
from tests.patience import PATIENCE
from tools.imports import ROOT

TOY = '''
"""A toy: two numbers, which are the logits of every picture."""

import numpy as np

from models.sandbox.checks.model_size import check_model_size
from models.formats.model_format import ModelCapabilities, ModelFormat, read_file_content
from models.graph.engine.choice import InferenceEngine, InferenceEngineState
from models.graph.network_input import NetworkInput
from models.graph.runtime_network import RuntimeNetwork


class Toy(RuntimeNetwork):
    kind = "toy"

    def __init__(self, content, name):
        self.logits = np.array([float(each) for each in content.split()[1:]], np.float32)
        super().__init__(name, [NetworkInput("image", (None, 8, 8, 3))])

    @property
    def engine(self):
        return InferenceEngineState(InferenceEngine.TFLITE, 1, "0")

    def run(self, arrays):
        return [np.tile(self.logits, (len(arrays[0]), 1))]


TOY = ModelFormat(
    title="`.toy`, for tests",
    example=".toy",
    suffixes=(".toy",),
    provides=ModelCapabilities.OUTPUTS,
    recognise=lambda path, start: start.startswith(b"toy "),
    check=check_model_size,
    open=lambda path: Toy(read_file_content(path), path.name),
    open_bytes=lambda content, member, name: Toy(content, member),
)
'''

PROGRAM = """
import sys, zipfile
from pathlib import Path
import numpy as np
from app.page.assets import browser_page_config
from app.service.classifier_registry import ClassifierRegistry, classifier_title
from app.service.stores.model_uploads import ModelUploads
from errors import UserError
from models.formats.__main__ import write_format_table
from models.formats.model_hub import choose_model_files
from models.loading import load_classifier

folder = Path(sys.argv[1])
(folder / "my_net.toy").write_bytes(b"toy 2.0 -3.0")
with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
    archive.write(folder / "my_net.toy", "my_net.toy")
alone = folder / "alone"
alone.mkdir()
(alone / "m.toy").write_bytes(b"toy 2.0 -3.0")
for model, trust in ((folder / "my_net.toy", True), (folder / "packed.zip", True), (alone, True), (folder / "my_net.toy", False)):
    classifier = load_classifier(model, trust)
    assert classifier.outputs(np.zeros((1, *classifier.size, 3), np.float32)).tolist() == [[2.0, -3.0]], model
    assert classifier.forward_only
    classifier.close() if not trust else None
upload = browser_page_config(())["upload"]
assert upload["modelSuffixes"].split(",").count(".toy") == 1
assert ".toy" in upload["modelKinds"]
assert ModelUploads(ClassifierRegistry(["glass_box"])).reserve("x.toy")[1].name == "x.toy"
assert classifier_title("folder/my_net.toy") == "my net"
assert choose_model_files(["a.toy", "README.md"], "hf://a/b")[0] == "a.toy"
try:
    load_classifier(folder / "nothing")
except UserError as error:
    assert ".toy" in str(error), error
write_format_table(Path("docs/models.md"))
assert "| `.toy`, for tests | outputs only" in Path("docs/models.md").read_text(encoding="utf-8")
print("done")
"""


def test_a_new_format_is_one_file_and_one_line(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("app", "explainers", "models", "docs", "examples"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    shutil.copy(ROOT / "errors.py", copy)
    shutil.copy(ROOT / "image_batches.py", copy)
    shutil.copy(ROOT / "plain_arrays.py", copy)
    shutil.copy(ROOT / "plain_files.py", copy)
    (copy / "models" / "formats" / "toy.py").write_text(TOY.lstrip(), encoding="utf-8")
    registry = copy / "models" / "formats" / "format_registry.py"
    text = registry.read_text(encoding="utf-8")
    imported = "from models.formats.tflite import TFLITE\n"
    changed = text.replace(imported, f"{imported}from models.formats.toy import TOY\n").replace("\n    ONNX,\n", "\n    ONNX,\n    TOY,\n")
    assert changed.count("TOY") == 2
    registry.write_text(changed, encoding="utf-8")
    (tmp_path / "files").mkdir()
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "files")]
    answer = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=PATIENCE)
    assert answer.stdout.strip() == "done", answer.stderr[-3000:]


def test_the_table_of_formats_in_the_documentation() -> None:
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert f"{BEGIN}\n\n{markdown_format_table()}\n\n{END}" in text, "run python -m models.formats --write docs/models.md"
