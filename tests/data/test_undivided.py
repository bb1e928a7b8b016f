import numpy as np
import pytest

from edgekit.data.passage import Passage, digest_of
from edgekit.data.recording import Recording
from edgekit.processing.wav import write_wav
from edgekit.types import Sound


@pytest.mark.parametrize(
    ("known", "kind", "recipe"),
    [
        (None, "none", "None"),
        (3, "label", "3"),
        ("so", "text", "'so'"),
        (("a", "b"), "answers", "('a', 'b')"),
    ],
)
def test_one_sample_with_its_truth(tmp_path, known, kind, recipe):
    path = tmp_path / "a.wav"
    path.write_bytes(write_wav(Sound(np.zeros(5, np.float32), 8000)))
    text = Passage("t", digest_of("text"), "", lambda: "text", known, "g")
    for source in (Recording(path, "r", "00", known, "g"), text):
        assert (source.count, source.truth, source.recipe) == (1, kind, recipe)
        (sample,) = source.samples()
        assert (sample.id, sample.cluster) == (source.id, source.sha256)
        assert (sample.truth, sample.group) == (known, "g")
    assert sample.content == "text"
