import numpy as np
import pytest

from edgekit.errors import DataError, UsageError
from edgekit.predictions.contender import open_contender
from edgekit.predictions.file import open_recording
from edgekit.predictions.prediction import Key
from edgekit.predictions.side import RecordedSide, check_recorded
from edgekit.types import Frame


def test_recorded(recorded):
    side = RecordedSide(open_recording(recorded))
    assert (side.task, side.name, side.variant, side.labels) == (
        "classify", "five.predictions", "five.predictions", ("a", "b", "c"),
    )  # fmt: skip
    assert side.predict(Key(2), "2.png", lambda: pytest.fail("nothing is decoded")).ms == 3.25


def test_live(tiny_bundle):
    contender = open_contender(tiny_bundle("c"), "fp16", 1)
    side = contender.side
    assert (side.task, side.name, side.variant, side.labels) == (
        "classify",
        "c",
        "fp16",
        ("red", "green", "blue"),
    )
    frame = Frame(np.full((8, 8, 3), (50, 60, 40), np.uint8))
    prediction = side.predict(Key(0), "x", lambda: frame)
    assert prediction.result.top(1)[0].label == "green"
    assert prediction.raw == pytest.approx([5, 6, 4])
    assert prediction.ms > 0
    with pytest.raises(UsageError, match="x: c takes a picture, got a text"):
        side.predict(Key(0), "x", lambda: "text")


def test_recorded_on_other_data(recorded):
    recording = open_recording(recorded)
    check_recorded(recording, "f" * 64, ("blur",))
    with pytest.raises(
        DataError, match=r"recorded on photos, SHA-256 ffffffffffffffff…; the data of this run has 00"
    ):
        check_recorded(recording, "0" * 64, ())
    with pytest.raises(DataError, match="holds nothing under noise, jpeg"):
        check_recorded(recording, "f" * 64, ("blur", "noise", "jpeg"))


def test_contender_of_a_file_of_unknown_origin(recorded):
    contender = open_contender(recorded)
    subject = contender.subject
    assert (subject.bundle, subject.file, subject.engine, subject.recorded) == (
        "five", "five.predictions", "not stated", "five.predictions",
    )  # fmt: skip
    assert contender.card.title == "five.predictions"
    assert contender.digest == subject.id
