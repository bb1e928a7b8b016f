import json

import pytest

from edgekit.data.dataset import open_data, refuse_overlap
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


def asked(table, rows, name="t.jsonl"):
    return open_data([table(rows, name)], "vision_language")


def test_questions(table):
    rows = [
        {"image": "img/1.png", "question": "What?", "answers": ["a", "b"], "group": "g"},
        {"image": "img/1.png", "question": "Where?", "answer": "here|there"},
        {"image": "img/2.png", "question": "Who?", "answers": "a|b"},
    ]
    data = asked(table, rows)
    assert data.truth == "answers"
    assert [(s.id, s.truth, s.group) for s in data] == [
        ("img/1.png: What?", ("a", "b"), "g"),
        ("img/1.png: Where?", ("here|there",), ""),
        ("img/2.png: Who?", ("a", "b"), ""),
    ]
    assert [s.load().text for s in data] == ["What?", "Where?", "Who?"]
    assert len({s.cluster for s in data}) == 2
    csv = "image,question,answers\nimg/1.png,What?,a|b\n"
    assert [s.truth for s in asked(table, csv, "t.csv")] == [("a", "b")]


def test_pictures_to_describe_without_a_question(table):
    [sample] = asked(table, [{"image": "img/1.png", "answer": "a cat"}])
    assert sample.truth == ("a cat",)
    assert sample.load().size_wh == (64, 48)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": "What?"}, r"no 'image' \(it has question\)"),
        ({"image": "img/1.png", "question": 3}, "'question' is 3"),
        (
            {"image": "img/1.png", "question": "?", "answers": []},
            r"'answers' is \[\] \(expected a list of strings",
        ),
        (
            {"image": "img/1.png", "question": "?", "answers": ["a", 1]},
            "expected a list of strings, or one with |",
        ),
        ({"image": "img/1.png", "question": "?", "answer": 1}, r"'answer' is 1 \(expected a string\)"),
        ({"image": "img/1.png", "answer": "a", "answers": ["a"]}, "has 'answers' and 'answer'"),
        ({"image": "img/1.png", "question": "?", "label": "a"}, "has 'label', this task needs 'answers'"),
    ],
)
def test_questions_refused(table, row, message):
    with pytest.raises(DataError, match=message):
        asked(table, [row])


def test_crops_of_questions(table):
    with pytest.raises(DataError, match="crops=2 of pictures with a text or a question"):
        open_data([table([{"image": "img/1.png", "question": "?"}]) + "?crops=2"], "vision_language")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ([{"text": "One\u2028\ntwo", "label": 3}, {"text": "x" * 9}, {"text": '"'}], "t.jsonl"),
        ('\ufeff{"text": "One\u2028\\ntwo"}\r\n\n{"text":"xxxxxxxxx"}\n{"text": "\\""}', "t.jsonl"),
        ('\ufefftext,n\r\n"One\u2028\ntwo",1\r\nxxxxxxxxx,2\n\n"""",3', "t.csv"),
    ],
)
def test_texts_are_read_again_from_their_place(table, content, name):
    data = open_data([table(content, name)], "generate")
    assert data.truth == "none"
    loads = [s.load for s in data]
    assert [load() for load in reversed(loads)] == ['"', "x" * 9, "One\u2028\ntwo"]
    assert len({s.cluster for s in data}) == 3


def test_names_of_texts_say_the_line(table):
    assert [s.id for s in open_data([table('text\n"a\nb"\nc\n', "t.csv")], "generate")] == [
        "t.csv:3",
        "t.csv:4",
    ]


def test_table_that_changed(table):
    spec = table("text,n\nfirst,1\nsecond,2\n", "t.csv")
    one, two = open_data([spec], "generate")
    table("text,n\nfirst,1\nother_,2\n", "t.csv")
    assert one.load() == "first"
    with pytest.raises(DataError, match="t.csv:3: the text has changed"):
        two.load()
    table("text,n\nfirst", "t.csv")
    with pytest.raises(DataError, match="t.csv:3: cannot be read again"):
        two.load()


def test_texts_overlap_by_content(table):
    one = open_data([table("text\na\nb\n", "1.csv")], "generate")
    two = open_data([table([{"text": "b"}, {"text": "c"}])], "embed")
    with pytest.raises(DataError, match="share 1 of 2"):
        refuse_overlap(one.digests, two.digests)


def test_classes_of_what_belongs_together(table):
    rows = [{"text": "a", "label": "x"}, {"image": "img/1.png", "label": 7}, {"text": "b", "label": "7"}]
    data = open_data([table(rows)], "embed")
    assert [s.truth for s in data] == [0, 1, 1]
    assert data.truth == "label"
    assert isinstance(next(iter(data)).load(), str)
    for broken, message in (
        ({"text": "a", "image": "img/1.png"}, "has 'image' and 'text'"),
        ({"label": "x"}, "no 'image' or 'text'"),
        ({"text": "a", "label": 1.5}, "expected a string or an index"),
    ):
        with pytest.raises(DataError, match=message):
            open_data([table([broken])], "embed")


@pytest.mark.parametrize("column", ["label", "text", "answers"])
def test_boxes_are_in_no_table(table, column):
    assert open_data([table([{"image": "img/1.png"}])], "detect", LABELS).truth == "none"
    with pytest.raises(DataError, match=f"has '{column}', this task needs 'boxes'"):
        open_data([table([{"image": "img/1.png", column: "cat"}])], "detect", LABELS)


def test_header_and_fields(table):
    with pytest.raises(DataError, match="two columns of one name in the header: image, image"):
        open_data([table("image,image\na,b\n", "t.csv")], "ocr")
    with pytest.raises(
        DataError, match=r"field larger than field limit .*\(quote such fields, or use .jsonl\)"
    ):
        open_data([table("text\n" + "x" * 200_000, "t.csv")], "generate")
    with pytest.raises(DataError, match="t.jsonl:1: nested too deeply"):
        open_data([table("[" * 50_000)], "generate")


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
