"""Metadata beside a picture: its code by value, what is missing, what is refused, and the card that carries it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from errors import UserError
from models.cards.card import Card, ClassLabel
from models.cards.metadata import (
    CategoryField,
    NumberField,
    describe_metadata,
    encode_metadata,
    metadata_encoding_names,
    parse_metadata,
    read_metadata_fields,
)

AGE, SEX = NumberField("age", 50.0, 20.0, "years"), CategoryField("sex", ("female", "male"))
FIELDS = (AGE, SEX)


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"age": 70, "sex": "male"}, [1, 0, 0, 1, 0], "age 70 years, sex male"),
        ({"age": 50.0, "sex": "female"}, [0, 0, 1, 0, 0], "age 50 years, sex female"),
        ({"age": 20, "sex": None}, [-1.5, 0, 0, 0, 1], "age 20 years, sex missing"),
        ({}, [0, 1, 0, 0, 1], "age missing, sex missing"),
    ],
)
def test_numbers_are_standardised_and_categories_are_places(values, code, words) -> None:
    found = encode_metadata(FIELDS, values)
    assert found.dtype == np.float32
    assert found.tolist() == code
    assert describe_metadata(FIELDS, values) == words


def test_without_a_flag_what_is_missing_is_zeros() -> None:
    bare = (NumberField("age", 50.0, 20.0, missing="zero"), CategoryField("sex", ("female", "male"), "zero"))
    assert encode_metadata(bare, {}).tolist() == [0, 0, 0]
    assert encode_metadata(bare, {"age": 30, "sex": "male"}).tolist() == [-1, 0, 1]
    assert metadata_encoding_names(bare) == ("age", "sex = female", "sex = male")


def test_each_number_has_a_name() -> None:
    assert metadata_encoding_names(FIELDS) == ("age", "age missing", "sex = female", "sex = male", "sex missing")
    assert encode_metadata((), {}).shape == (0,)


def test_what_is_typed_is_read_by_the_field() -> None:
    assert parse_metadata(FIELDS, ["age=55", "sex=male"]) == {"age": 55.0, "sex": "male"}


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["age=old"], "'age' is 'old'; it must be a finite number"),
        (["age=nan"], "must be a finite number"),
        (["sex=x"], "'sex' is 'x'; it must be one of female, male"),
        (["weight=3"], "no metadata of this classifier"),
        (["age"], "no metadata of this classifier"),
        (["age=1", "age=2"], "given twice"),
    ],
)
def test_wrong_words_are_refused(words, refusal) -> None:
    with pytest.raises(UserError, match=refusal):
        parse_metadata(FIELDS, words)


@pytest.mark.parametrize(
    "values", [{"age": "70"}, {"age": True}, {"age": float("inf")}, {"sex": "unknown"}, {"sex": 1.0}, {"Age": 3}, {"age": 10**400}]
)
def test_wrong_values_are_refused(values) -> None:
    with pytest.raises(UserError, match=r"[Mm]etadata"):
        encode_metadata(FIELDS, values)


def test_a_card_keeps_its_fields_and_one_without_any_has_none(tmp_path: Path) -> None:
    card = Card("both", (ClassLabel("a"), ClassLabel("b")), (8, 8), metadata=(*FIELDS, CategoryField("site", ("back",), "zero")))
    card.write(tmp_path / "card.json")
    assert Card.read(tmp_path / "card.json") == card
    (tmp_path / "old.json").write_text(json.dumps({"name": "old", "labels": ["a", "b"], "size": [8, 8]}))
    assert Card.read(tmp_path / "old.json").metadata == ()


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        ("age", "must be a list of fields"),
        ([{"name": "age"}], "it must be an object with 'name', 'mean'"),
        ([{"name": "age", "mean": "1", "deviation": 1}], "it must be an object"),
        ([{"name": "age", "mean": 1, "deviation": 0}], "deviation more than 0"),
        ([{"name": "age", "mean": 10**400, "deviation": 1}], "must be finite"),
        ([{"name": "sex", "values": []}], "name at least one"),
        ([{"name": "sex", "values": ["a"], "missing": "mean"}], "'missing' 'mean'; it must be one of flag, zero"),
        ([{"name": "sex", "values": ["a", "a"]}], "each once"),
        ([{"name": "a=b", "values": ["a"]}], "without '='"),
        ([{"name": "sex", "values": ["a"]}, {"name": "sex", "values": ["b"]}], "two fields are called 'sex'"),
    ],
)
def test_a_card_s_wrong_fields_are_named(raw, refusal, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=refusal):
        read_metadata_fields(raw)
    (tmp_path / "card.json").write_text(json.dumps({"name": "m", "labels": ["a", "b"], "size": [8, 8], "metadata": raw}))
    with pytest.raises(UserError, match=re.escape("card.json: ")):
        Card.read(tmp_path / "card.json")
