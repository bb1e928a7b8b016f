from shutil import which

import numpy as np
import pytest

from edgekit.data.dataset import open_data
from edgekit.errors import DataError, EnvironmentLacks, UsageError
from edgekit_export.data import spoken
from edgekit_export.data.documents import render_document
from edgekit_export.data.lines import render_line
from edgekit_export.data.sentences import SENTENCES


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


def test_voices_and_sentences_are_the_same_every_time():
    data = open_data(["rendered:voices?n=2&seed=3"], "activity")
    first, second = (sample.load() for sample in data)
    again = next(iter(open_data(["rendered:voices?n=2&seed=3"], "activity"))).load()
    assert (first.rate_hz, first.seconds) == (16_000, 3.0)
    np.testing.assert_array_equal(first.samples, again.samples)
    assert np.abs(first.samples - second.samples).max() > 0.05
    assert data.truth == "none"


def test_sentences_are_spoken_and_known():
    if which("espeak-ng") is None:
        pytest.skip("espeak-ng speaks the sentences and is not installed (apt-get install espeak-ng)")
    (sample,) = open_data(["rendered:spoken?n=1&seed=3"], "transcribe")
    sound = sample.load()
    assert sound.rate_hz == 16_000
    assert 1 < sound.seconds < 30
    assert 0.04 < np.abs(sound.samples).max() <= 1
    assert sum(part in sample.truth for part in SENTENCES) >= 2
    assert next(iter(open_data(["rendered:spoken?n=1&seed=3"], "activity"))).truth is None


def test_no_espeak_is_told(monkeypatch):
    monkeypatch.setattr(spoken, "which", lambda name: None)
    with pytest.raises(EnvironmentLacks, match="apt-get install espeak-ng"):
        open_data(["rendered:spoken"], "activity")
