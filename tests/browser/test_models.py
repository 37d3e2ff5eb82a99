"""Models of one's own and real pictures, from the file to bars, seven maps and the table of agreement."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from models.sandbox import landlock
from models.store import bundled_models
from tests.browser.conftest import open_settings, run_of, visiting, wait
from tests.models import hostile_files
from tests.serving import Server, serving


def test_a_photograph_is_explained_by_an_imagenet_network(browser: Browser, data: Path) -> None:
    with serving("--model", str(data / "models" / "imagenet_mobilenet_v2")) as server, visiting(browser, server) as open_page:
        page = open_page()
        explain(page, data / "natural" / "cat.jpg")
        expect(page.locator("#cc-says h2")).to_contain_text("cat")
        assert page.locator("#cc-prediction .cc-bar").count() >= 4
        assert shown(page) == 7
        expect(page.locator("#cc-agreement [data-pairs]")).to_have_attribute("data-pairs", re.compile(r"[1-9]\d"))


def test_a_chest_x_ray_is_explained_by_a_network_of_two_branches(browser: Browser, data: Path, two_branches: Path) -> None:
    picture = next((data / "chest_xray" / "test" / "PNEUMONIA").glob("*.jpeg"))
    with serving("--model", str(two_branches)) as server, visiting(browser, server) as open_page:
        page = open_page()
        explain(page, picture)
        expect(page.locator("#cc-prediction .cc-bar")).to_have_count(2)
        assert set(page.locator("#cc-prediction .cc-bar .cc-label").all_inner_texts()) == {"normal", "pneumonia"}
        assert shown(page) == 7
        expect(page.locator("#cc-agreement [data-pairs]")).to_have_attribute("data-pairs", re.compile(r"[1-9]"))


@pytest.fixture(scope="module")
def two_branches(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MobileNetV2 and a small network side by side, their means joined before one sigmoid, and its labels; trained
    for a few seconds, so that there is some evidence to show."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    picture = keras.Input((96, 96, 3))
    light = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, include_top=False, weights=None)(picture)
    plain = picture
    for channels in (8, 16, 24):
        plain = layers.Conv2D(channels, 3, strides=2, padding="same", activation="relu")(plain)
    joined = layers.Concatenate()([layers.GlobalAveragePooling2D()(branch) for branch in (light, plain)])
    model = keras.Model(picture, layers.Dense(1, activation="sigmoid")(joined))
    for layer in model.get_layer("mobilenetv2_0.35_96").layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.5
    pictures = keras.utils.image_dataset_from_directory(data / "chest_xray" / "test", image_size=(96, 96), label_mode="binary", seed=0)
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy")
    model.fit(pictures.map(lambda x, y: (x / 127.5 - 1, y)).cache(), epochs=1, shuffle=False, verbose=0)
    folder = tmp_path_factory.mktemp("two_branches")
    model.save(folder / "model.keras")
    (folder / "labels.txt").write_text("0 normal\n1 pneumonia\n")
    return folder


def explain(page: Page, picture: Path) -> None:
    """Gives a picture to the page at preset Fast, and waits for its maps."""
    open_settings(page)
    page.locator("#cc-preset label", has_text="Fast").click()
    page.keyboard.press("Escape")
    run = run_of(page) if page.locator("#cc-status [data-run]").count() else 0
    page.set_input_files("#cc-picture input[type=file]", picture)
    wait(page, after=run)
    expect(page.locator("#cc-verdict .cc-facts").first).to_contain_text(picture.name)


def shown(page: Page) -> int:
    """How many methods' panels show a map; the consensus and the votes are none."""
    return page.locator(".cc-panel:has(.cc-map[data-painted])[data-method]:not([data-method=Consensus], [data-method=Votes])").count()


@pytest.mark.skipif(not landlock.landlock_version(), reason="this kernel has no Landlock")
def test_a_visitor_brings_a_model_that_others_do_not_see(browser: Browser, tmp_path: Path) -> None:
    good, bad = tmp_path / "my boxes.keras", tmp_path / "bad.keras"
    shutil.copy(bundled_models()["glass_box"], good)
    hostile_files.with_layer(bad, class_name="system", module="os", config={"command": "true"})
    with serving("--allow-model-upload", "--model", "glass_box") as server, visiting(browser, server) as open_page:
        page = open_page()
        explain(page, hostile_files.picture(tmp_path / "noise.png"))
        run = run_of(page)
        page.set_input_files("#cc-bring input[type=file]", good)
        wait(page, after=run)
        expect(page.locator("#cc-classifier input")).to_have_value("my boxes")
        expect(page.locator("#cc-about")).to_contain_text("4 classes")
        open_settings(page)
        page.locator("#cc-about summary").click()
        expect(page.locator("#cc-about")).to_contain_text("It runs in a process of its own")
        page.keyboard.press("Escape")
        page.set_input_files("#cc-bring input[type=file]", bad)
        expect(page.locator("#cc-status .cc-error")).to_contain_text("bad.keras asks for 'system' of the module 'os'")
        other = open_page()
        other.locator("#cc-classifier input").click()
        expect(other.get_by_role("option", name="Glass box")).to_have_count(1)
        expect(other.get_by_role("option", name="my boxes")).to_have_count(0)


def test_a_page_that_takes_no_models_says_so_to_nobody(browser: Browser, server: Server) -> None:
    with visiting(browser, server) as open_page:
        assert open_page().locator("#cc-bring").count() == 0
    assert server.ask("POST", "/crosscheck/model?name=a.keras", b"x")[0] in (404, 405)
