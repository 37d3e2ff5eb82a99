"""Batches hold what serving sees, follow from their seed, epoch and number, and are augmented as said."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from errors import UserError
from models.cards.metadata import CategoryField, NumberField, encode_metadata
from models.datasets.picture_collection import CollectionRow
from models.images.decoder import decode_picture
from models.images.picture_placement import fit_to_size
from models.training.augmentation import DERMOSCOPY, NONE, PHOTOGRAPH, XRAY, Augmentation
from models.training.image_cache import cache_decoded_images
from models.training.input_pipeline import InputPipelineSettings, class_weights, iterate_batches, shuffled_epoch_order, steps_per_epoch
from tests.models.picture_folders import painted

FIELDS = (NumberField("age", 50.0, 10.0), CategoryField("sex", ("female", "male")))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[CollectionRow]:
    """22 pictures: 16 of class 0, 4 of class 1, 2 of class 2; the last without an age."""
    folder = tmp_path_factory.mktemp("pictures")
    labels = [0] * 16 + [1] * 4 + [2] * 2
    ages = [40.0 + n for n in range(21)] + [None]
    return [
        CollectionRow(painted(folder / f"{n}.png", n), label, str(n), metadata=(("age", age), ("sex", "male"), ("site", "back")))
        for n, (label, age) in enumerate(zip(labels, ages, strict=True))
    ]


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> InputPipelineSettings:
    return InputPipelineSettings((20, 20), tmp_path_factory.mktemp("cache"), batch=5, seed=7, augmentation=DERMOSCOPY)


def taken(rows: list[CollectionRow], feed: InputPipelineSettings, epoch: int) -> list[tuple[Any, ...]]:
    return list(iterate_batches(rows, feed, epoch).as_numpy_iterator())


def test_judging_sees_every_picture_once_as_serving_does(rows: list[CollectionRow], feed: InputPipelineSettings) -> None:
    images, labels = (np.concatenate(each) for each in zip(*taken(rows, feed.plain(), 0), strict=True))
    assert images.dtype == np.float32
    assert labels.dtype == np.int32
    assert labels.tolist() == [row.label for row in rows]
    served = np.stack([fit_to_size(decode_picture(row.path.read_bytes()), (20, 20), "letterbox") for row in rows])
    np.testing.assert_allclose(images, served, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("balance", ["none", "sampling"])
def test_the_same_epoch_gives_the_same_batches_and_another_gives_others(
    rows: list[CollectionRow], feed: InputPipelineSettings, balance: Any
) -> None:
    feed = dataclasses.replace(feed, balance=balance, fields=FIELDS, forget=0.3)
    first, again, later = (taken(rows, feed, epoch) for epoch in (3, 3, 4))
    assert len(first) == steps_per_epoch(rows, feed) == 4
    for ((images, vectors), labels), ((images2, vectors2), labels2) in zip(first, again, strict=True):
        np.testing.assert_array_equal(images, images2)
        np.testing.assert_array_equal(vectors, vectors2)
        np.testing.assert_array_equal(labels, labels2)
    assert not np.array_equal(first[0][0][0], later[0][0][0])
    other = taken(rows, dataclasses.replace(feed, seed=8), 3)
    assert not np.array_equal(first[0][0][0], other[0][0][0])


def test_an_epoch_draws_each_picture_at_most_once(rows: list[CollectionRow], feed: InputPipelineSettings) -> None:
    for epoch in range(3):
        assert sorted(shuffled_epoch_order(rows, feed, epoch)) == list(range(22))
    assert not np.array_equal(shuffled_epoch_order(rows, feed, 0), shuffled_epoch_order(rows, feed, 1))


def test_sampling_draws_every_class_equally_often(rows: list[CollectionRow], feed: InputPipelineSettings) -> None:
    drawn = shuffled_epoch_order(rows, dataclasses.replace(feed, balance="sampling"), 0)
    counts = np.bincount([rows[place].label for place in drawn])
    assert len(drawn) == 22
    assert counts.tolist() in ([8, 7, 7], [7, 8, 7], [7, 7, 8])
    often = np.bincount(drawn, minlength=22)
    assert often[:16].max() == 1
    assert set(often[16:20]) <= {1, 2}
    assert set(often[20:]) <= {3, 4}


def test_weights_make_every_class_count_as_much(rows: list[CollectionRow]) -> None:
    np.testing.assert_allclose(class_weights(rows, 4, "weights"), [22 / 48, 22 / 12, 22 / 6, 0], rtol=1e-6)
    np.testing.assert_array_equal(class_weights(rows, 4, "none"), np.ones(4))


def test_metadata_stands_beside_the_pictures(rows: list[CollectionRow], feed: InputPipelineSettings) -> None:
    whole = taken(rows, dataclasses.replace(feed, fields=FIELDS).plain(), 0)
    vectors = np.concatenate([vectors for (_, vectors), _ in whole])
    np.testing.assert_allclose(vectors[0], [-1, 0, 0, 1, 0], atol=1e-6)  # 40 years, male
    np.testing.assert_allclose(vectors[21], [0, 1, 0, 1, 0], atol=1e-6)  # no age, male
    known = dataclasses.replace(feed, fields=FIELDS, forget=1.0)
    np.testing.assert_array_equal(taken(rows, known, 0)[0][0][1], np.tile(encode_metadata(FIELDS, {}), (5, 1)))
    half = np.concatenate([v for e in range(20) for (_, v), _ in taken(rows, dataclasses.replace(known, forget=0.5), e)])
    assert half[:, 4].mean() == pytest.approx(0.5, abs=0.1)  # the sex is hidden half of the time


def test_few_pictures_make_one_small_batch(rows: list[CollectionRow], feed: InputPipelineSettings) -> None:
    [(images, labels)] = taken(rows[:3], feed, 0)
    assert images.shape == (3, 20, 20, 3)
    assert labels.shape == (3,)


def test_pictures_are_decoded_once_and_again_when_one_changes(tmp_path: Path) -> None:
    file, cache = painted(tmp_path / "a.png", 1), tmp_path / "cache"
    first = np.array(cache_decoded_images([file], (8, 8), "stretch", cache))
    [kept] = cache.iterdir()
    before = kept.stat().st_mtime_ns
    cache_decoded_images([file], (8, 8), "stretch", cache)
    assert [each.stat().st_mtime_ns for each in cache.iterdir()] == [before]
    painted(file, 2)
    os.utime(file, ns=(1, 1))
    assert not np.array_equal(cache_decoded_images([file], (8, 8), "stretch", cache), first)
    cache_decoded_images([file], (8, 9), "stretch", cache)
    assert len(list(cache.iterdir())) == 3


def test_a_damaged_cache_is_made_anew_and_a_full_disk_is_said(tmp_path: Path) -> None:
    file, cache = painted(tmp_path / "a.png", 1), tmp_path / "cache"
    first = np.array(cache_decoded_images([file], (8, 8), "stretch", cache))
    [kept] = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:150])
    np.testing.assert_array_equal(cache_decoded_images([file], (8, 8), "stretch", cache), first)
    with pytest.raises(UserError, match=r"Decoded pictures take \d+\.\d GB; .* GB free"):
        cache_decoded_images([file], (40_000_000, 40_000_000), "stretch", cache)
    assert len(list(cache.iterdir())) == 1


def test_every_unreadable_picture_is_named_and_nothing_is_kept(tmp_path: Path) -> None:
    files = [painted(tmp_path / "a.png", 1), tmp_path / "text.jpg", tmp_path / "cut.png"]
    files[1].write_text("no picture")
    files[2].write_bytes(files[0].read_bytes()[:200])
    with pytest.raises(UserError, match=r"^2 of the pictures cannot be read.*text\.jpg: .*not a picture.*cut\.png: .*damaged"):
        cache_decoded_images(files, (8, 8), "crop", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
    with pytest.raises(UserError, match=r"gone\.png cannot be found any more"):
        cache_decoded_images([tmp_path / "gone.png"], (8, 8), "crop", tmp_path / "cache")
    with pytest.raises(UserError, match="name another folder"):
        cache_decoded_images(files[:1], (8, 8), "crop", files[1])


def test_a_feed_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="The feed's batch is 0; it must lie from 1 to 4096"):
        InputPipelineSettings((8, 8), tmp_path, batch=0)
    with pytest.raises(UserError, match="The augmentation's rotation is 200"):
        Augmentation(rotation=200)


def picture(height: int = 21, width: int = 31) -> np.ndarray:
    coarse = np.random.default_rng(5).integers(40, 216, (5, 7, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def many(augmentation: Augmentation, pixels: np.ndarray, count: int = 64) -> np.ndarray:
    return augmentation(np.repeat(pixels[None], count, 0), np.random.default_rng(0))


def test_no_augmentation_leaves_the_numbers_alone() -> None:
    np.testing.assert_array_equal(many(NONE, picture(), 2)[1], picture().astype(np.float32) / np.float32(255))


@pytest.mark.parametrize(("augmentation", "axes"), [(Augmentation(mirror=True), [1]), (Augmentation(flip=True), [0])])
def test_mirrors_are_exact_and_come_half_of_the_time(augmentation: Augmentation, axes: list[int]) -> None:
    plain = picture().astype(np.float32) / 255
    made = many(augmentation, picture(), 200)
    turned = [np.allclose(each, np.flip(plain, axes), atol=1e-6) for each in made]
    kept = [np.allclose(each, plain, atol=1e-6) for each in made]
    assert all(a != b for a, b in zip(turned, kept, strict=True))
    assert 70 < sum(turned) < 130


def test_turns_are_those_of_an_independent_rotation() -> None:
    pixels = picture(25, 25)
    augmentation = Augmentation(rotation=180)
    draws = np.zeros((1, 7))
    for share, quarter in ((0.5, -1), (-0.5, 1), (1.0, 2)):
        draws[0, 6] = share
        linear, middle = augmentation.maps(draws, 25, 25)[0, :, :2], augmentation.maps(draws, 25, 25)[0, :, 2]
        rows, columns = np.mgrid[:25, :25]
        source = np.rint(linear @ np.stack([columns.ravel(), rows.ravel()]) + middle[:, None]).astype(int)
        moved = pixels[source[1], source[0]].reshape(25, 25, 3)
        np.testing.assert_array_equal(moved, np.rot90(pixels, -quarter))


def test_cuts_stay_in_the_picture_and_keep_their_share_of_it() -> None:
    augmentation = Augmentation(area=0.4, aspect=0.3)
    maps = augmentation.maps(np.random.default_rng(1).uniform(-1, 1, (500, 7)), 60, 90)
    corners = np.array([[-0.5, 89.5, -0.5, 89.5], [-0.5, -0.5, 59.5, 59.5], [1, 1, 1, 1]])
    reached = maps @ corners
    assert reached[:, 0].min() > -0.5 - 1e-9
    assert reached[:, 0].max() < 89.5 + 1e-9
    assert reached[:, 1].min() > -0.5 - 1e-9
    assert reached[:, 1].max() < 59.5 + 1e-9
    areas = np.abs(np.linalg.det(maps[:, :, :2]))
    assert 0.35 < areas.min() < 0.5
    assert areas.max() <= 1 + 1e-9
    ratios = maps[:, 0, 0] / maps[:, 1, 1]
    assert ratios.min() >= 1 / 1.3 - 1e-9
    assert ratios.max() <= 1.3 + 1e-9


def test_colours_change_as_pillow_changes_them() -> None:
    from PIL import ImageEnhance

    pixels = picture()
    plain = pixels.astype(np.float32) / 255
    strength = Augmentation(saturation=0.5, brightness=0.1, contrast=0.4)
    draws = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, -1, 0, 0]])
    rich, bright, dull = strength.colours(draws)
    saturated = np.asarray(ImageEnhance.Color(Image.fromarray(pixels)).enhance(1.5), np.float32) / 255
    np.testing.assert_allclose(np.clip(plain @ rich[:, :3].T + rich[:, 3], 0, 1), saturated, atol=2.5 / 255)
    np.testing.assert_allclose(plain @ bright[:, :3].T + bright[:, 3], plain + 0.1, atol=1e-6)
    np.testing.assert_allclose(plain @ dull[:, :3].T + dull[:, 3], 0.5 + 0.6 * (plain - 0.5), atol=1e-6)


def test_a_third_of_the_hue_circle_swaps_the_colours() -> None:
    third = Augmentation(hue=1 / 3).colours(np.array([[0, 0, 0, 1.0]]))[0, :, :3]
    np.testing.assert_allclose(third @ np.eye(3), np.roll(np.eye(3), 1, axis=0), atol=1e-6)
    np.testing.assert_allclose(third @ np.ones(3), np.ones(3), atol=1e-6)


@pytest.mark.parametrize("augmentation", [DERMOSCOPY, XRAY, PHOTOGRAPH])
def test_the_recipes_augmentations_keep_pictures_in_range(augmentation: Augmentation) -> None:
    made = many(augmentation, picture())
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() <= 1
    assert not np.array_equal(made[0], made[1])


def test_x_rays_stay_upright_and_grey() -> None:
    assert not XRAY.flip
    assert XRAY.rotation <= 10
    assert XRAY.saturation == XRAY.hue == 0
    grey = np.repeat(np.linspace(220, 40, 21).astype(np.uint8)[:, None, None], 31, 1).repeat(3, -1)  # the brighter, the higher
    made = many(XRAY, grey)
    np.testing.assert_allclose(made, made[..., :1].repeat(3, -1), atol=1e-5)
    assert (made[:, :4].mean((1, 2, 3)) > made[:, -4:].mean((1, 2, 3))).all()


def test_the_benchmark_tells_waiting_from_stepping(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import training
    from benchmarks.training import WARMING, timed

    now = 0.0

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: now))

    class Slow:
        """A model whose first steps are slower, as compiling makes them."""

        taken = 0

        def train_on_batch(self, inputs: int, targets: int, sample_weight: int) -> None:
            self.taken += 1
            passes(0.3 if self.taken <= WARMING else 0.06)

    def supply() -> Iterator[tuple[int, int, int]]:
        while True:
            passes(0.02)
            yield 0, 0, 0

    spent = timed(Slow(), supply(), 6)
    assert spent.waiting == pytest.approx(6 * 0.02)
    assert spent.stepping == pytest.approx(6 * 0.06), "without the warming"
    assert spent.share == spent.stepping / (spent.waiting + spent.stepping)
