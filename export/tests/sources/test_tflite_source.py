import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from msgspec.structs import replace

from edgekit.bundle.manifest import Normalize
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.tflite_file import WrappedGraph, least_precise
from edgekit_export.sources.tflite_source import ROLE, as_onnx, tflite_source, with_twin
from edgekit_export.tflite.flatbuffer import write_tflite
from export.tests.tflite.graphs import anchored
from tests.tflite_files import channel_means


def source_of(folder, data, bare):
    path = folder / "m.tflite"
    path.write_bytes(data)
    return tflite_source(path, "m.tflite", bare)


def test_a_twin_reads_pictures_as_its_file_does_by_its_own_names(tmp_path):
    source = source_of(tmp_path, channel_means("int8"), BareInput(task="classify", resize="stretch"))
    (tmp_path / "twin.tflite").write_bytes(channel_means(names=("pixels", "logits")))
    twin = with_twin(source, tmp_path / "twin.tflite", None).twin[ROLE].spec
    assert (twin.input.tensor, twin.input.dtype, twin.head.tensor) == ("pixels", "float32", "logits")
    assert twin.input.ops == (*source.files[ROLE].spec.input.ops, Normalize((0.0,) * 3, (1.0,) * 3))
    given = with_twin(source, tmp_path / "twin.tflite", "0to1").twin[ROLE].spec
    assert given.input.ops[-1].std == (255.0,) * 3


def test_the_twin_of_a_detector_has_its_levels(tmp_path):
    bare = BareInput(normalize="minus1to1")
    source = source_of(tmp_path, write_tflite(anchored()), bare)
    graph = anchored()
    for tensor, name in zip(graph.outputs, ("boxes", "scores"), strict=True):
        graph.rename(tensor, name)
    (tmp_path / "twin.tflite").write_bytes(write_tflite(graph))
    wrapped = source.files[ROLE]
    said_quantised = replace_file(wrapped, "int8")
    quantised = type(source)(
        source.name, source.origin, source.task, source.card, {}, source.assets, files={ROLE: said_quantised}
    )
    twin = with_twin(quantised, tmp_path / "twin.tflite", None).twin[ROLE].spec
    assert [(level.scores.tensor, level.boxes.tensor, level.first) for level in twin.head.levels] == [
        ("scores", "boxes", 0),
        ("scores", "boxes", 32),
    ]
    assert replace(twin.head, levels=wrapped.spec.head.levels) == wrapped.spec.head


def replace_file(wrapped, precision):
    from dataclasses import replace as changed

    return WrappedGraph(changed(wrapped.file, precision=precision), wrapped.spec)


def test_onnx_of_a_float_file_keeps_its_outputs(tmp_path):
    source = as_onnx(source_of(tmp_path, write_tflite(anchored()), BareInput(normalize="0to1")))
    graph = source.graphs[ROLE]
    assert sorted(value.name for value in graph.model.graph.output) == sorted(graph.outputs)
    assert source.files[ROLE].spec.head == graph.spec.head
    assert source.specs[0].shape == (1, 3, 32, 32)
    assert source.accepts == "picture"
    assert least_precise([source.files[ROLE].file.precision]) == "fp32"
