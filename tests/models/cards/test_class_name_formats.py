"""Names of classes as people keep them, in every usual form and encoding, and what cannot be used."""

import json

import pytest

from errors import UserError
from models.cards.card import Card, CardNote, ClassLabel
from models.cards.class_name_formats import UnusableNamesError, parse_class_names
from models.cards.edited_card import CHOSEN, NAMED, card_with_class_names, card_with_preprocessing, parse_preprocessing

ANIMALS = ["cat", "dog", "owl"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("labels.txt", b"cat\ndog\nowl\n"),
        ("labels.txt", b"\n cat \r\n\r\ndog\rowl"),
        ("labels.txt", b"0 cat\n1 dog\n2 owl\n"),
        ("labels.txt", b"1 cat\n2 dog\n3 owl\n"),
        ("labels.txt", b"2: owl\n0: cat\n1: dog\n"),
        ("labels.txt", b"0,cat\n1,dog\n2,owl\n"),
        ("labels.txt", b"0\tcat\n1\tdog\n2\towl\n"),
        ("labels.txt", b"0. cat\n1) dog\n2 - owl\n"),
        ("labels.txt", b"cat,0\nowl,2\ndog,1\n"),
        ("labels.txt", b"cat: 0\ndog: 1\nowl: 2\n"),
        ("labels.txt", b"dog 1\ncat 0\nowl 2\n"),
        ("labels.txt", b"cat,dog,owl\n"),
        ("labels.txt", b"cat; dog; owl"),
        ("labels.txt", b"cat dog owl"),
        ("labels.txt", b"['cat', 'dog', 'owl']"),
        ("labels.txt", b"{'cat': 0, 'owl': 2, 'dog': 1}"),
        ("labels.txt", b"{0: 'cat', 1: 'dog', 2: 'owl'}"),
        ("labels.txt", b"n02123045 cat\nn02084071 dog\nn01621127 owl\n"),
        ("class_indices.json", b'{"owl": 2, "cat": 0, "dog": 1}'),
        ("class_indices.json", b'{"0": "cat", "2": "owl", "1": "dog"}'),
        ("classes.json", b'["cat", "dog", "owl"]'),
        ("classes.json", b'{"classes": ["cat", "dog", "owl"]}'),
        ("classes.json", b'{"class_names": {"0": "cat", "1": "dog", "2": "owl"}, "version": 2}'),
        ("classes.json", b'{"0": ["n02123045", "cat"], "1": ["n02084071", "dog"], "2": ["n01621127", "owl"]}'),
        ("classes.json", b'[{"id": 2, "name": "owl"}, {"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]'),
        ("classes.json", b'[{"label": "cat"}, {"label": "dog"}, {"label": "owl"}]'),
        ("labels.csv", b"index,name\n0,cat\n1,dog\n2,owl\n"),
        ("labels.csv", b"ClassId,Name\n3,owl\n1,cat\n2,dog\n"),
        ("labels.csv", b"name;id\ncat;0\ndog;1\nowl;2\n"),
        ("labels.csv", b"label\ncat\ndog\nowl\n"),
        ("labels.csv", b"cat\ndog\nowl\n"),
        ("labels.csv", b"0,cat\n1,dog\n2,owl\n"),
        ("labels.csv", b"cat,0\ndog,1\nowl,2\n"),
        ("labels.csv", b"class_id,class_name,count\n0,cat,7\n1,dog,9\n2,owl,3\n"),
        ("labels.csv", b"cat,dog,owl\n"),
        ("config.json", b'{"architectures": ["ViT"], "id2label": {"0": "cat", "1": "dog", "2": "owl"}}'),
        ("metadata.json", b'{"tfjsVersion": "1.3.1", "labels": ["cat", "dog", "owl"]}'),
    ],
)
def test_every_form_gives_the_names_in_order(file: str, content: bytes) -> None:
    assert parse_class_names(content, file, 3) == ANIMALS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_every_encoding(encoding: str) -> None:
    assert parse_class_names("Bär\r\nFuchs\r\nEule\r\n".encode(encoding), "labels.txt", 3) == ["Bär", "Fuchs", "Eule"]
    assert parse_class_names('{"Bär": 1, "Fuchs": 0}'.encode(encoding), "class_indices.json", 2) == ["Fuchs", "Bär"]


def test_other_alphabets() -> None:
    assert parse_class_names("0 Голуби\n1 Синица\n".encode(), "labels.txt", 2) == ["Голуби", "Синица"]
    assert parse_class_names("猫\n犬\n".encode("utf-16"), "labels.txt", 2) == ["猫", "犬"]


def test_numbers_that_belong_to_the_names_stay() -> None:
    assert parse_class_names(b"stage 0\nstage 1\nstage 2\n", "labels.txt", 3) == ["stage 0", "stage 1", "stage 2"]
    assert parse_class_names(b"Apple 10\nApple 11\nPear 3\n", "labels.txt", 3) == ["Apple 10", "Apple 11", "Pear 3"]
    assert parse_class_names(b"0\n1\n2\n", "labels.txt", 3) == ["0", "1", "2"]
    assert parse_class_names(b"Speed limit (20km/h), Germany\nStop\n", "labels.txt", 2) == ["Speed limit (20km/h), Germany", "Stop"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b'{"class_name": "Functional", "config": {"layers": []}}'),
        ("config.json", b'{"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}'),
        ("metadata.json", b'{"keras_version": "3.3.3", "date_saved": "2024"}'),
    ],
)
def test_a_file_about_something_else_names_nothing(file: str, content: bytes) -> None:
    assert parse_class_names(content, file, 3) is None


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("labels.txt", b"", "it is empty"),
        ("labels.txt", b"a\nb\n", "it names 2 classes, and the model has 3"),
        ("labels.txt", b"\xff\xfea\x00b", "it is no text"),
        ("labels.txt", bytes(range(256)), "it is no text"),
        ("labels.txt", b"a\nb\n" + b"c" * 201, "class 2 has 201 characters"),
        ("class_indices.json", b'{"a": 0, "b": 1, "c": 1}', "its numbers are not those of the classes"),
        ("class_indices.json", b'{"a": 0, "b": 1, "c": 3}', "its numbers are not those of the classes"),
        ("class_indices.json", b"{'a': 0}", "it is no JSON"),
        ("classes.json", b"import json\nclass_idx = {}\n", "it is no JSON"),
        ("classes.json", b'{"lessons": 3, "teacher": "Ms. X"}', "neither a list of names nor names with numbers"),
        ("classes.json", b"[[], [], []]", "neither a list of names"),
        ("classes.json", b"[" * 100_000, "it is no JSON"),
        ("labels.csv", b"id,breed\n000bec,boston_bull\n001513,dingo\n0021f9,pug\n00214f,pug\n", "it has 4 rows, and the model has 3"),
        ("labels.csv", b"filename,label\na.jpg,cat\nb.jpg,dog\nc.jpg,owl\n", "a table of pictures"),
        ("labels.csv", b"08.jpg,0\n09.jpg,0\n04.jpg,1\n01.jpg,2\n", "it has 4 rows"),
        ("labels.txt", b"[" * 100_000, "names"),
        ("labels.csv", b"\n\n", "it is empty"),
    ],
)
def test_what_cannot_be_used_says_why(file: str, content: bytes, words: str) -> None:
    with pytest.raises(UnusableNamesError, match=words) as refused:
        parse_class_names(content, file, 3)
    assert len(str(refused.value)) < 120


def test_an_expression_is_not_evaluated() -> None:
    for text in ("[__import__('os').getcwd(), 'b', 'c']", "{0: open('/etc/passwd').read()}", "[9**9**9**9, 1, 2]"):
        with pytest.raises(UnusableNamesError):
            parse_class_names(text.encode(), "labels.txt", 2)


INFERRED = Card(
    "net",
    tuple(ClassLabel(f"class {number}") for number in range(3)),
    (8, 8),
    inferred=True,
    notes=(
        f"{CardNote.ASSUMED_SCALING} 0..1 assumed, because nothing says otherwise.",
        f"{CardNote.NAMES_NOT_USED} labels.txt: it is empty.",
    ),
)


def test_a_card_with_typed_names() -> None:
    for text in ("cat\ndog\nowl", "cat, dog, owl", "0 cat\n1 dog\n2 owl"):
        made = card_with_class_names(INFERRED, text)
        assert [label.name for label in made.labels] == ANIMALS
        assert made.inferred, "what was guessed about the preprocessing stays a guess"
        assert made.notes == (INFERRED.notes[0], NAMED)
        assert Card.of(json.loads(json.dumps(made.to_json()))) == made
        assert card_with_class_names(made, "a\nb\nc").notes == made.notes
    with pytest.raises(UserError, match="These names cannot be used: it names 2 classes, and the model has 3"):
        card_with_class_names(INFERRED, "cat\ndog")


def test_a_card_with_chosen_preprocessing() -> None:
    made = card_with_preprocessing(INFERRED, *parse_preprocessing("0..255 bgr", INFERRED))
    assert (made.scaling, made.colour, made.inferred) == ("0..255", "bgr", False)
    assert made.notes == (CHOSEN, INFERRED.notes[1])
    assert parse_preprocessing("caffe", INFERRED) == ("caffe", "bgr")
    assert parse_preprocessing("-1..1", INFERRED) == ("-1..1", "rgb")
    for text in ("", "0-255", "0..1 rgb x", "0..1 cmyk"):
        with pytest.raises(UserError, match=r"--preprocessing is .*; give one of 0\.\.1, -1\.\.1"):
            parse_preprocessing(text, INFERRED)
