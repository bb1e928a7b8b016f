import pytest
from msgspec.structs import asdict

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit.bundle.detect_head import OffsetBoxes
from edgekit.bundle.manifest import Letterbox, Normalize, ResizeStretch
from edgekit.errors import DataError, ModelError, UsageError
from edgekit_export.sources.bare import LABELS_MEMBER, BareInput
from edgekit_export.sources.bare_tflite import bare_tflite
from edgekit_export.sources.tflite_file import read_tflite_bytes
from edgekit_export.tflite.flatbuffer import write_tflite
from export.tests.tflite.graphs import (
    Maker,
    anchored,
    normalization_metadata,
    softmax_classifier,
    with_metadata,
)
from tests.tflite_files import FLOAT32, INT8, channel_means, ints, model, tensor

CLASSIFY = BareInput(task="classify", normalize="0to1", resize="stretch")


def file_of(data, name="m.tflite"):
    return read_tflite_bytes(data, name)


def test_a_classifier_is_told_by_its_softmax():
    found = bare_tflite(file_of(softmax_classifier()), BareInput(normalize="minus1to1"))
    head, image = found.graph.spec.head, found.graph.spec.input
    assert (found.task, found.card.task, head.tensor, head.activation) == (
        "classify",
        "classify",
        "t5",
        "none",
    )
    assert (image.tensor, image.dtype, image.layout, found.graph.spec.shape) == (
        "x",
        "float32",
        "nhwc",
        (1, 3, 8, 8),
    )
    assert asdict(image.ops[-1]) == {"mean": (127.5,) * 3, "std": (127.5,) * 3}
    assert found.assets == {LABELS_MEMBER: b"class 0\nclass 1\nclass 2\n"}


def test_scores_without_an_activation_need_a_word():
    file = file_of(channel_means())
    with pytest.raises(
        ModelError, match="cannot tell its task from its outputs: scores float32 1×3"
    ) as caught:
        bare_tflite(file, BareInput(normalize="0to1"))
    assert "--task classify" in caught.value.remedy
    found = bare_tflite(file, CLASSIFY)
    assert found.graph.spec.head.activation == "softmax"
    assert found.graph.spec.input.ops[0] == ResizeStretch(8, 8)


@pytest.mark.parametrize(
    ("codes", "dtype", "expected"),
    [
        ((1.0, -128), "uint8", None),  # 0 to 255: pixels as they are
        ((1 / 255, -128), "float32", (0.0, 255.0)),
        ((2 / 255, 0), "float32", (127.5, 127.5)),  # −1 to 1, to a step
        ((1 / 127.5, -1), "float32", (127.5, 127.5)),
    ],
)
def test_the_normalisation_that_codes_tell(codes, dtype, expected):
    spec = bare_tflite(file_of(coded_input(codes)), BareInput(task="classify")).graph.spec
    assert spec.input.dtype == dtype
    last = spec.input.ops[-1]
    assert (isinstance(last, Normalize) and (last.mean[0], last.std[0])) == (expected or False)


def coded_input(codes):
    """Pixels as int8 codes, straight through to three scores."""
    tensors = [
        tensor("image", (1, 1, 1, 3), INT8, codes=codes),
        tensor("scores", (1, 1, 1, 3), FLOAT32),
    ]
    dequantize = 6
    operators = [{0: ("I", 0), 1: ints(0), 2: ints(1)}]
    return model(tensors, operators, [dequantize], [], ((0,), (1,)))


def test_codes_of_another_range_need_a_word():
    with pytest.raises(
        UsageError, match=r"codes of -12.8 to 12.7, which is no usual range of pixels"
    ) as caught:
        bare_tflite(file_of(coded_input((0.1, 0))), BareInput(task="classify"))
    assert "--normalize" in caught.value.remedy
    given = bare_tflite(file_of(coded_input((0.1, 0))), CLASSIFY)
    assert given.graph.spec.input.ops[-1] == Normalize((0.0,) * 3, (255.0,) * 3)


def test_floats_need_a_word():
    with pytest.raises(UsageError, match="how pixels are normalised"):
        bare_tflite(file_of(softmax_classifier()), BareInput())


def test_a_detector_is_told_by_its_anchors():
    found = bare_tflite(file_of(write_tflite(anchored())), BareInput(normalize="minus1to1"))
    head = found.graph.spec.head
    assert found.task == "detect"
    assert [(level.stride, level.anchors, level.first) for level in head.levels] == [(8, 2, 0), (16, 6, 32)]
    assert head.boxes == OffsetBoxes("pixel")
    assert (head.overlaps, head.iou_threshold) == ("blend", 0.3)
    assert head.levels[0].scores.activation == "sigmoid"
    assert found.graph.spec.input.ops[0] == Letterbox(32, 32, pad=0)
    assert found.assets == {LABELS_MEMBER: b"class 0\n"}


def test_a_detector_of_other_anchors_is_none():
    file = file_of(write_tflite(anchored(anchors=((8, 3),))))
    with pytest.raises(ModelError, match="cannot tell how its outputs are read as objects: .* 1×48×16"):
        bare_tflite(file, BareInput(task="detect", normalize="0to1"))


@pytest.mark.parametrize("shape", [(1, 8, 8, 1), (1, 8, 8, 4), (1, 640)])
def test_what_takes_no_picture_says_what_it_takes_and_gives(shape):
    made = Maker(shape)
    made.add("RELU", [0], shape)
    form = "×".join(map(str, shape))
    with pytest.raises(
        ModelError, match=f"takes no picture: .* got x float32 {form}, and it gives t1 float32 {form}"
    ):
        bare_tflite(file_of(write_tflite(made.graph())), BareInput(normalize="0to1"))


def test_labels_must_be_as_many_as_classes(tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match="expected 3 labels, one a line, got 2"):
        bare_tflite(
            file_of(channel_means()),
            BareInput(task="classify", normalize="0to1", labels=tmp_path / "labels.txt"),
        )


def test_real_files_that_are_no_task_of_pictures(test_data):
    folder = test_data / "mlperf_tiny"
    if not folder.is_dir():
        pytest.skip(f"test data absent: {folder}")
    for name, form in (
        ("kws_ref_model", "?×49×10×1"),
        ("ad01_int8", "?×640"),
        ("str_ww_ref_model", "?×30×1×40"),
    ):
        with pytest.raises(ModelError, match=f"takes no picture.*input_1 float32 {form.replace('?', '[?]')}"):
            bare_tflite(file_of((folder / f"{name}.tflite").read_bytes()), BareInput())


def test_floats_whose_metadata_tell():
    file = file_of(with_metadata(softmax_classifier(), normalization_metadata([127.5], [127.5])))
    assert bare_tflite(file, BareInput()).graph.spec.input.ops[-1] == Normalize((127.5,) * 3, (127.5,) * 3)
    given = bare_tflite(file, BareInput(normalize="0to1")).graph.spec.input.ops[-1]
    assert given == Normalize((0.0,) * 3, (255.0,) * 3)
