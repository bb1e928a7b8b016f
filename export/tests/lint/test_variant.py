import onnx
import pytest

from edgekit.bundle.manifest import ClassHead, ImageInput, Model, Variant
from edgekit_export.lint import lint_variant
from edgekit_export.quantize import Recipe, quantize
from edgekit_export.target import AVX2, PI4
from export.tests.lint.test_lint import stages
from export.tests.quantize.networks import pictures, residual


def variant_of(path, form="onnx", external=()):
    model = Model(
        path,
        form,
        ImageInput(tensor="image", ops=(), color="rgb"),
        ClassHead("scores", None, "softmax"),
        external,
    )
    return Variant(name="int8", recipe="r", precision="int8", models={"model": model}, bytes=1)


@pytest.fixture
def staged(tmp_path):
    """A graph with its weights in a file beside it."""
    made = quantize(residual(), pictures(3), Recipe()).model
    onnx.save(made, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=16)
    assert (tmp_path / "m.data").stat().st_size > 100
    return tmp_path


def test_a_staged_file_is_as_its_graph(staged):
    variant = variant_of("m.onnx", external=("m.data",))
    assert lint_variant(variant, staged, PI4, {}) == {"model": ()}
    (warning,) = lint_variant(variant, staged, AVX2, {})["model"]
    assert (warning.rule, warning.count) == ("saturating-u8s8", 5)
    assert str(warning).startswith("conv0, conv1, conv2, conv3, ... would saturate on x86")
    assert str(warning).endswith("(mode weight8))")


def test_what_the_export_measured_is_told_too(staged):
    (warning,) = lint_variant(variant_of("m.onnx"), staged, PI4, {"model": stages(7.5, 25.0)})["model"]
    assert warning.rule == "optimiser-changes-result"
    assert str(warning).startswith("the engine's optimiser changes the result: 7.5 dB")


def test_a_graph_that_the_engine_refuses_is_a_warning(staged):
    broken = onnx.load(staged / "m.onnx")
    broken.graph.node[0].op_type = "Unheard"
    onnx.save(broken, staged / "b.onnx")
    (warning,) = lint_variant(variant_of("b.onnx"), staged, PI4, {})["model"]
    assert (warning.rule, warning.where, warning.count) == ("not-linted", (), 0)
    assert "Unheard" in warning.message


def test_nothing_is_said_of_tflite(tmp_path):
    assert lint_variant(variant_of("m.tflite", "tflite"), tmp_path, AVX2, {}) == {}
