import pytest

from edgekit.errors import BundleError
from edgekit.tasks.labels import read_labels


def test_labels(tmp_path):
    (tmp_path / "l.txt").write_text("a\nb c\n\u2028odd\n", encoding="utf-8")
    assert read_labels(tmp_path / "l.txt") == ("a", "b c", "\u2028odd")
    (tmp_path / "none.txt").write_text("")
    with pytest.raises(BundleError, match="empty file"):
        read_labels(tmp_path / "none.txt")
