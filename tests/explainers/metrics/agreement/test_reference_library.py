"""A library of other pictures' maps: kept whole, refused where it speaks of other maps."""

from pathlib import Path

import numpy as np
import pytest

from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods import METHODS
from explainers.methods.occlusion import Occlusion
from explainers.metrics.agreement.reference_library import (
    FIRST_DIGESTS,
    MapLibrary,
    image_digest,
    map_library_settings,
    read_map_library,
    stack_maps_by_method,
    write_map_library,
)
from tests.explainers.metrics.agreement.test_consistency import library, share
from tests.explainers.toy_classifiers import ToyScore, detectors, picture


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    known = library()
    known.maps["cam"][3] = np.nan
    with (tmp_path / "m.library.npz").open("wb") as file:
        write_map_library(known, file)
    back = read_map_library(tmp_path / "m.library.npz")
    assert (back.made_with, back.pictures) == (known.made_with, known.pictures)
    np.testing.assert_allclose(back.maps["lime"], known.maps["lime"], rtol=2e-3)
    np.testing.assert_allclose(back.maps["lime"].sum((1, 2)), 1, rtol=1e-5)
    assert np.isnan(back.maps["cam"][3]).all()
    assert len(back.others("cam").rows) == 39
    assert [path.name for path in tmp_path.iterdir()] == ["m.library.npz"]


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    for name, data in (("text", b"hello"), ("zip", b"PK\x03\x04"), ("empty", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match="no library of maps"):
            read_map_library(tmp_path / name)
    with (tmp_path / "uneven").open("wb") as file:
        write_map_library(MapLibrary({}, ("a", "b"), {"cam": share(np.ones((3, 4, 4)))}), file)
    with (tmp_path / "formless").open("wb") as file:
        write_map_library(MapLibrary({"methods": ["LIME"]}, (), {}), file)
    with pytest.raises(UserError, match="no library of maps"):
        read_map_library(tmp_path / "formless")
    with pytest.raises(UserError, match="do not fit together"):
        read_map_library(tmp_path / "uneven")


def test_another_model_grid_or_fill_is_unfit_and_another_preset_is_reported() -> None:
    toy = detectors(grid=(7, 7), cell=16)
    case = Case(toy, picture(toy.size), ToyScore(0), ExplanationSettings(preset="Fast"))
    here = map_library_settings(case, "abc")
    told = {"model": "abc", "cells": 7, "fill": "blur", "preset": "Fast", "segments": 20, "score": "logit"}
    assert here == {**told, "methods": {method.title: method.revision for method in METHODS}}
    assert not MapLibrary({**here, "further": 1}, (), {}).mismatch(here)
    assert "another model (xyz, here abc)" in MapLibrary({**here, "model": "xyz"}, (), {}).mismatch(here)
    assert "another cells (14, here 7)" in MapLibrary({**here, "cells": 14}, (), {}).mismatch(here)
    assert MapLibrary({**here, "preset": "Balanced"}, (), {}).differences(here) == ("preset Balanced",)


def test_methods_that_have_changed_since_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = detectors(grid=(7, 7), cell=16)
    case = Case(toy, picture(toy.size), ToyScore(0), ExplanationSettings())
    before = map_library_settings(case, "abc")
    earlier = {name: value for name, value in before.items() if name != "methods"}
    assert MapLibrary(before, (), {}).differences(map_library_settings(case, "abc")) == ()
    assert MapLibrary(earlier, (), {}).differences(before) == ("methods of an earlier version",)
    monkeypatch.setattr(Occlusion, "revision", Occlusion.revision + 1)
    assert MapLibrary(before, (), {}).differences(map_library_settings(case, "abc")) == ("another Occlusion (smoothed)",)
    assert not MapLibrary(before, (), {}).mismatch(map_library_settings(case, "abc"))


def test_a_library_of_the_time_before_revisions_is_read_as_its_digests_say(tmp_path: Path) -> None:
    """It holds a digest for each method: revision 1's, or another one's of an earlier method."""
    toy = detectors(grid=(7, 7), cell=16)
    now = map_library_settings(Case(toy, picture(toy.size), ToyScore(0), ExplanationSettings()), "abc")
    for methods, differs in (
        (FIRST_DIGESTS, ()),
        ({**FIRST_DIGESTS, Occlusion.title: "00000000"}, (f"another {Occlusion.title}",)),
    ):
        with (tmp_path / "old").open("wb") as file:
            write_map_library(MapLibrary({**now, "methods": methods}, ("a",), {"cam": share(np.ones((1, 4, 4)))}), file)
        assert read_map_library(tmp_path / "old").differences(now) == differs
        assert (read_map_library(tmp_path / "old").made_with == now) == (differs == ())


def test_a_digest_stands_for_the_fitted_picture() -> None:
    image = picture((8, 8))
    assert image_digest(image) == image_digest(image.copy())
    assert image_digest(image) != image_digest(image[::-1])


def test_missing_maps_are_not_numbers() -> None:
    rows = stack_maps_by_method([{"cam": np.ones((2, 2))}, {}], ["cam", "ig"], 2)
    assert np.isnan(rows["cam"][1]).all()
    assert np.isnan(rows["ig"]).all()
    assert rows["cam"][0].tolist() == [[1, 1], [1, 1]]
