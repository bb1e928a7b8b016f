import pytest

from edgekit.errors import OutputError
from edgekit.predictions.lines import GrowingFile


def test_goes_on(tmp_path):
    file = GrowingFile(tmp_path / "f", b"first")
    file.append(b"one")
    file.append(b"two")
    file.close()
    again = GrowingFile(tmp_path / "f", b"first")
    assert list(again) == [b"one", b"two"]
    again.append(b"three")
    assert list(again) == [b"one", b"two"]  # what was there when it was opened
    again.close()
    assert (tmp_path / "f").read_bytes() == b"first\none\ntwo\nthree\n"


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_cut_line_is_dropped(tmp_path, cut):
    (tmp_path / "f").write_bytes(b"first\none\ntwo\n"[:-cut])
    file = GrowingFile(tmp_path / "f", b"first")
    file.append(b"2")
    file.close()
    assert (tmp_path / "f").read_bytes() == b"first\none\n2\n"


@pytest.mark.parametrize("content", [b"", b"fir", b"first", b"other\none\n"])
def test_begun_anew_under_another_first_line(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    file = GrowingFile(tmp_path / "f", b"first")
    assert list(file) == []
    file.close()
    assert (tmp_path / "f").read_bytes() == b"first\n"


def test_a_closing_line_is_dropped(tmp_path):
    (tmp_path / "f").write_bytes(b"first\none\nEND 1\n")
    file = GrowingFile(tmp_path / "f", b"first", b"END")
    file.append(b"two")
    file.close()
    assert (tmp_path / "f").read_bytes() == b"first\none\ntwo\n"


def test_one_writer_at_a_time(tmp_path):
    file = GrowingFile(tmp_path / "f", b"first")
    with pytest.raises(OutputError, match="another process is writing it"):
        GrowingFile(tmp_path / "f", b"first")
    file.close()
    GrowingFile(tmp_path / "f", b"first").close()


def test_links_are_not_followed(tmp_path):
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "f").symlink_to(tmp_path / "target")
    with pytest.raises(OutputError):
        GrowingFile(tmp_path / "f", b"first")
    assert (tmp_path / "target").read_bytes() == b"precious"
