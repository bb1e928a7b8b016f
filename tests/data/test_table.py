import json

import pytest

from edgekit.data.dataset import open_data
from edgekit.errors import DataError, UsageError

LABELS = ("cat", "dog")


@pytest.fixture
def table(tmp_path, draw):
    draw(tmp_path / "img" / "1.png", 1)
    draw(tmp_path / "img" / "2.png", 2)

    def write(content, name="t.jsonl"):
        path = tmp_path / name
        text = content if isinstance(content, str) else "\n".join(json.dumps(row) for row in content)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_texts(table):
    spec = table([{"image": "img/1.png", "text": "Hello\u2028w"}, {"image": "img/2.png", "text": ""}])
    data = open_data([spec], "ocr")
    assert [(s.id, s.truth) for s in data] == [("img/1.png", "Hello\u2028w"), ("img/2.png", "")]
    assert data.truth == "text"


def test_labels_by_name_and_index(table):
    spec = table(
        [
            {"image": "img/1.png", "label": "dog"},
            {"image": "img/2.png", "label": 0},
            {"image": "img/2.png", "label": "1"},
        ]
    )
    data = open_data([f"{spec}?crops=2"], "classify", LABELS)
    assert [s.truth for s in data] == [1, 1, 0, 0, 1, 1]
    assert len({s.cluster for s in data}) == 2


def test_groups(table):
    rows = [
        {"image": "img/1.png", "group": "night"},
        {"image": "img/2.png"},
        {"image": "img/2.png", "group": 3},
    ]
    assert [s.group for s in open_data([table(rows)], "ocr")] == ["night", "", "3"]
    with pytest.raises(DataError, match=r"t.jsonl:1: 'group' is \['x'\] \(expected a name\)"):
        open_data([table([{"image": "img/1.png", "group": ["x"]}])], "ocr")


def test_csv(table):
    spec = table('\ufeffimage,text\nimg/1.png,"a, ""b""\nc"\nimg/2.png,d\n', "t.csv")
    assert [s.truth for s in open_data([spec], "ocr")] == ['a, "b"\nc', "d"]


def test_without_truth(table):
    assert open_data([table("image,label\nimg/1.png,\n", "t.csv")], "classify", LABELS).truth == "none"
    assert open_data([table([{"image": "img/1.png"}])], "ocr").truth == "none"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "t.jsonl", "no row in it"),
        ("\n\n", "t.ndjson", "no row in it"),
        ("{", "t.jsonl", "t.jsonl:1: not JSON"),
        ("[1]", "t.jsonl", "expected an object, got list"),
        ([{"picture": "x"}], "t.jsonl", r"t.jsonl:1: no 'image' \(it has picture"),
        ([{"image": 3}], "t.jsonl", r"'image' is 3 \(expected a string\)"),
        ([{"image": "img/9.png", "text": "x"}], "t.jsonl", "img/9.png: No such file"),
        ([{"image": "img/1.png", "text": 5}], "t.jsonl", r"'text' is 5 \(expected a string\)"),
        ([{"image": "img/1.png", "label": "x"}], "t.jsonl", "has 'label', this task needs 'text'"),
        ("image,text\nimg/1.png\n", "t.csv", "t.csv:2: another number of fields"),
        ("image,text\nimg/1.png,a,b\n", "t.csv", "t.csv:2: another number of fields"),
        ('image,text\nimg/1.png,"a\n', "t.csv", "t.csv:[12]: unexpected end of data"),
        (
            [{"image": "img/1.png", "text": "x"}, {"image": "img/2.png"}],
            "t.jsonl",
            "1 of 2 sources come with a text",
        ),
    ],
)
def test_refused(table, content, name, message):
    with pytest.raises(DataError, match=message):
        open_data([table(content, name)], "ocr")


@pytest.mark.parametrize("label", [True, 1.5, None, ["dog"]])
def test_strange_labels(table, label):
    spec = table([{"image": "img/1.png", "label": label}])
    if label is None:
        assert open_data([spec], "classify", LABELS).truth == "none"
    else:
        with pytest.raises(DataError, match="expected a string or an index"):
            open_data([spec], "classify", LABELS)


def test_unknown_label_says_where(table):
    spec = table([{"image": "img/1.png", "label": "dog"}, {"image": "img/1.png", "label": "dgo"}])
    with pytest.raises(
        DataError, match=r"t.jsonl:2: the model does not know the label 'dgo'.*nearest: 'dog'"
    ):
        open_data([spec], "classify", LABELS)


def test_crops_of_texts(table):
    spec = table([{"image": "img/1.png", "text": "x"}])
    with pytest.raises(DataError, match="crops=2 of pictures with a text"):
        open_data([f"{spec}?crops=2"], "ocr")
    with pytest.raises(UsageError, match="no option 'frames'"):
        open_data([f"{spec}?frames=2"], "ocr")


def test_not_text_at_all(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"image,text\n\xff\xfe,x\n")
    with pytest.raises(DataError, match="not UTF-8: .* at byte 11"):
        open_data([str(path)], "ocr")


def test_unreadable(tmp_path, monkeypatch):
    from pathlib import Path

    path = tmp_path / "t.csv"
    path.write_text("image\n")

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        open_data([str(path)], "ocr")
