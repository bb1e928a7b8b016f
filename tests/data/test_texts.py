import pytest

from edgekit.data.dataset import open_data, refuse_overlap
from edgekit.errors import DataError, UsageError

CONTENT = b"\xef\xbb\xbfOne\r\ntwo\r\n\r\n \n  Three \xe2\x80\xa8x\n\xe3\x80\x80\n\n\nfour"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    return path


def samples(spec, task="generate"):
    return [(s.id, s.load()) for s in open_data([str(spec)], task)]


def test_one_file_by_paragraph(text):
    assert samples(text) == [
        ("a.txt:1", "One\ntwo"),
        ("a.txt:5", "Three \u2028x"),
        ("a.txt:9", "four"),
    ]
    assert samples(text) == samples(f"{text}?by=paragraph")
    assert samples(text, "embed") == samples(text)


def test_by_line_and_document(text):
    assert samples(f"{text}?by=line") == [
        ("a.txt:1", "One"),
        ("a.txt:2", "two"),
        ("a.txt:5", "Three \u2028x"),
        ("a.txt:9", "four"),
    ]
    [(name, whole)] = samples(f"{text}?by=document")
    assert name == "a.txt"
    assert whole.startswith("One\ntwo\n\n")
    assert whole.endswith("\n\n\nfour")


def test_folder_by_document(tmp_path, text):
    (tmp_path / "10.txt").write_text("ten\n\nand more")
    (tmp_path / "9.txt").write_text("nine")
    (tmp_path / "notes.md").write_text("no")
    (tmp_path / ".hidden.txt").write_text("no")
    name = tmp_path.name
    assert [s[0] for s in samples(tmp_path)] == [f"{name}/9.txt", f"{name}/10.txt", f"{name}/a.txt"]
    assert samples(f"{tmp_path}?by=paragraph")[:3] == [
        (f"{name}/9.txt:1", "nine"),
        (f"{name}/10.txt:1", "ten"),
        (f"{name}/10.txt:3", "and more"),
    ]


def test_each_is_its_own_cluster_and_none_has_a_truth(text):
    data = open_data([str(text)], "generate")
    assert data.truth == "none"
    assert len({s.cluster for s in data}) == 3
    assert all(s.truth is None for s in data)
    with pytest.raises(DataError, match="a.txt:1: expected a picture, got a text"):
        _ = next(iter(data)).frame


def test_overlap_by_file_and_by_passage(tmp_path, text):
    def digests(spec):
        return open_data([str(spec)], "generate").digests

    other = tmp_path / "b.txt"
    other.write_text("Something else\n\nfour")
    refuse_overlap(digests(f"{text}?by=line"), digests(f"{other}?by=document"))
    for one, two in (("line", "document"), ("paragraph", "line"), ("document", "paragraph")):
        with pytest.raises(DataError, match="share"):
            refuse_overlap(digests(f"{text}?by={one}"), digests(f"{text}?by={two}"))
    with pytest.raises(DataError, match="share 1 of 3"):
        refuse_overlap(digests(text), digests(other))


def test_digest_follows_content_and_cut(tmp_path, text):
    def digest(spec):
        return open_data([str(spec)], "generate").sha256

    before = digest(text), digest(f"{text}?by=line"), digest(f"{text}?by=document")
    assert len(set(before)) == 3
    text.rename(tmp_path / "b.txt")
    assert digest(tmp_path / "b.txt") == before[0]


def test_changed_since(text):
    data = list(open_data([str(text)], "generate"))
    text.write_bytes(CONTENT.replace(b"Three", b"Drei!"))
    assert data[0].load() == "One\ntwo"
    with pytest.raises(DataError, match="a.txt:5: the text has changed since"):
        data[1].load()
    text.unlink()
    with pytest.raises(DataError, match="a.txt: No such file"):
        data[0].load()


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \n\r\n\t"])
@pytest.mark.parametrize("by", ["line", "paragraph", "document"])
def test_nothing_in_it(tmp_path, content, by):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match="a.txt: expected a text, got an empty file"):
        samples(f"{tmp_path}/a.txt?by={by}")
    with pytest.raises(DataError, match="a.txt: expected a text, got an empty file"):
        samples(f"{tmp_path}?by={by}")


def test_refused(tmp_path, text, draw):
    with pytest.raises(UsageError, match=r"by=page \(expected document, paragraph, line\)"):
        samples(f"{text}?by=page")
    with pytest.raises(UsageError, match="no option 'crops'"):
        samples(f"{text}?crops=2")
    with pytest.raises(DataError, match=r"a\.txt: no data for the task 'ocr' \(it is measured on pictures\)"):
        samples(text, "ocr")
    draw(tmp_path / "x.png")
    assert len(samples(tmp_path)) == 1
    with pytest.raises(DataError, match="texts beside pictures"):
        samples(tmp_path, "embed")
    with pytest.raises(DataError, match=r"x\.png: no data for the task 'generate'"):
        samples(tmp_path / "x.png")
    (tmp_path / "a.txt").write_bytes(b"fine\n\nnot\xff\n")
    with pytest.raises(DataError, match=r"a\.txt: not UTF-8: invalid start byte at byte 9 \(save"):
        samples(text)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"none: no text in it \(endings: \.txt\)"):
        samples(tmp_path / "none")
