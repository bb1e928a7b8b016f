import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit_export.tflite.flatbuffer import read_tflite
from edgekit_export.tflite.metadata import normalization_of
from export.tests.tflite.graphs import normalization_metadata, softmax_classifier, with_metadata


def told(metadata):
    return normalization_of(read_tflite(with_metadata(softmax_classifier(), metadata), "m.tflite"))


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        ([127.5], [128], ((127.5,) * 3, (128.0,) * 3)),
        ([1, 2, 3], [4, 5, 6], ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))),
        ([1, 2], [1], None),
        ([], [1], None),
        ([0], [0], None),
        ([0], [float("nan")], None),
    ],
)
def test_normalisation_of_the_first_input(mean, std, expected):
    assert told(normalization_metadata(mean, std)) == expected


def test_a_model_without_metadata():
    assert normalization_of(read_tflite(softmax_classifier(), "m.tflite")) is None


@pytest.mark.parametrize("length", range(0, 200, 7))
def test_metadata_that_end_early_say_nothing_or_the_same(length):
    whole = normalization_metadata([127.5], [128])
    assert told(whole[:length]) in (None, told(whole))


def test_metadata_of_another_kind():
    assert told(normalization_metadata([0], [255]).replace(b"M001", b"M999")) is None
