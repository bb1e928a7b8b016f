import pytest

from edgekit.catalog.cards import load_card
from edgekit_export.catalog_counts import (
    ARCHITECTURES,
    parameters_of,
    pyannote_segmentation_parameters,
    voice_embedding_parameters,
    yolov8_parameters,
)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_cards_say_what_the_architecture_has(name):
    pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
    assert load_card(name).parameters == parameters_of(name)


def test_yolov8_as_its_authors_count_it():
    assert yolov8_parameters(0.25, 1 / 3, 80) == 3_157_200 == load_card("yolov8n").parameters
    assert yolov8_parameters(0.5, 1 / 3, 80) == 11_166_560
    assert yolov8_parameters(0.5, 1 / 3, 1) == load_card("yolov8s-signature").parameters


def test_pyannote():
    voice = pyannote_segmentation_parameters()
    assert voice == load_card("pyannote-vad").parameters
    assert voice + voice_embedding_parameters() == load_card("pyannote-diarization").parameters
