import pytest

from edgekit.data.dataset import open_data
from edgekit.errors import DataError, UsageError
from edgekit_export.data.documents import render_document
from edgekit_export.data.lines import render_line


def test_found_by_entry_point():
    data = open_data(["rendered:lines?n=3&seed=7"], "ocr")
    samples = list(data)
    assert [s.truth for s in samples] == [render_line(7, i).text for i in range(3)]
    assert (samples[1].frame.pixels == render_line(7, 1).image).all()
    assert len({s.cluster for s in samples}) == 3
    assert data.truth == "text"


def test_documents_come_with_boxes_for_a_detector_and_with_text_for_a_reader():
    kinds = ("header", "text", "title", "figure", "figure_caption", "table", "table_caption", "footer")
    boxes = open_data(["rendered:documents?n=2&seed=5"], "detect", kinds)
    page, truth = render_document(5, 1), list(boxes)[1].truth
    assert boxes.truth == "boxes"
    assert [kinds[i] for i in truth.index] == [kind for kind, _ in page.parts]
    assert truth.xyxy.tolist() == [list(box) for _, box in page.parts]
    text = list(open_data(["rendered:documents?n=2&seed=5"], "ocr"))[1].truth
    assert text.splitlines() == [line for _, line in page.lines]
    with pytest.raises(DataError, match="does not know the label"):
        list(open_data(["rendered:documents?n=1&seed=5"], "detect", ("cat",)))


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
