"""``--format both`` of a text model: one bundle, and both variants answer as full precision does."""

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
from edgekit_export.language.export import TextOptions, export_text
from edgekit_export.sources.text_source import text_source
from export.tests.sources.text_checkpoints import tiny_llama, write_gguf


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
