import pytest

from edgekit.data.dataset import open_data
from edgekit.errors import UsageError
from edgekit_export.data.lines import render_line


def test_found_by_entry_point():
    data = open_data(["rendered:lines?n=3&seed=7"], "ocr")
    samples = list(data)
    assert [s.truth for s in samples] == [render_line(7, i).text for i in range(3)]
    assert (samples[1].frame.pixels == render_line(7, 1).image).all()
    assert len({s.cluster for s in samples}) == 3
    assert data.truth == "text"


def test_digests_tell_seeds_apart_and_grow():
    few, many, other = (
        open_data([f"rendered:lines?{q}"], "ocr") for q in ("n=3&seed=7", "n=5&seed=7", "n=5&seed=8")
    )
    assert few.digests < many.digests
    assert not many.digests & other.digests
    assert len(open_data(["rendered:lines"], "ocr")) == 2000


def test_refused():
    with pytest.raises(UsageError, match="nothing called 'cats'"):
        open_data(["rendered:cats"], "ocr")
    with pytest.raises(UsageError, match="no option 'm'"):
        open_data(["rendered:lines?m=3"], "ocr")
