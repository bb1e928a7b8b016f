"""``--format both`` of a text model: one bundle, and both variants answer as full precision does."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("ai_edge_litert", reason="edgekit[litert] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.bundle.reader import open_bundle
from edgekit.cli.output import progress
from edgekit.selftest import selftest
from edgekit.tasks.registry import load
from edgekit.tasks.settings import Settings
from edgekit.tasks.trace import Trace
from edgekit.types import Frame, Question
from edgekit_export.data.objects import draw_objects
from edgekit_export.language.export import TextOptions, export_text
from edgekit_export.sources.text_source import text_source
from export.tests.sources.text_checkpoints import tiny_llama, write_gguf
from export.tests.sources.vision_checkpoints import tiny_idefics3, write_vision_folder


def test_both_formats_answer_as_the_reference_does(tmp_path):
    source = text_source(str(write_gguf(tiny_llama(), tmp_path / "tiny.gguf", "Q8_0")))
    options = TextOptions(context=128, formats=("onnx", "tflite"))
    path = export_text(source, tmp_path / "tiny.edge", options, progress).path
    manifest = open_bundle(path).manifest
    first, second = manifest.variants
    assert (first.name, second.name) == ("stored", "stored-tflite")
    assert (second.precision, second.models["decode"].format) == ("int8", "tflite")
    assert manifest.lock.formats == ("onnx", "tflite")
    assert "ai-edge-litert" in manifest.lock.tools
    answers = [
        load(bundle, variant)([5, 80, 13, 120], settings=Settings(max_tokens=16)).tokens
        for bundle, variant in [
            (tmp_path / "tiny.reference.edge", None), (path, "stored"), (path, "stored-tflite"),
        ]
    ]  # fmt: skip
    assert answers[0] == answers[1] == answers[2]
    assert all(outcome.ok for tested in selftest(path) for outcome in tested.outcomes)


def test_pictures_in_both_formats_answer_as_the_reference_does(tmp_path):
    folder = write_vision_folder(tiny_idefics3(), tmp_path / "tiny")
    source = text_source(str(folder))
    options = TextOptions(recipes=("int8",), context=128, formats=("onnx", "tflite"), image_sizes=(64, 48))
    path = export_text(source, tmp_path / "tiny.edge", options, progress).path
    manifest = open_bundle(path).manifest
    assert [variant.name for variant in manifest.variants] == [
        "int8",
        "int8-48",
        "int8-tflite",
        "int8-tflite-48",
    ]
    first, second = manifest.variants[2:]
    assert {model.format for model in first.models.values()} == {"tflite"}
    assert first.models["decode"] == second.models["decode"]
    assert (second.precision, second.models["vision"].head.tokens) == ("int8", 9)
    for seed, question in enumerate(("What is this?", "and what color?")):
        scores = {}
        for bundle, name in ((tmp_path / "tiny.reference.edge", None), (path, "int8"), (path, "int8-tflite")):
            trace = Trace()
            load(bundle, name)(Question(Frame(draw_objects(seed)), question), trace, Settings(max_tokens=1))
            scores[name] = next(o for call in trace.calls if call.role == "decode" for _, o in call.told)[0]
        power = np.abs(scores[None]).max()
        assert np.abs(scores["int8"] - scores[None]).max() <= 0.05 * power
        assert np.abs(scores["int8-tflite"] - scores[None]).max() <= 0.05 * power
    assert all(outcome.ok for tested in selftest(path) for outcome in tested.outcomes)
