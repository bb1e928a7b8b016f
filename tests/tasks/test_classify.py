import numpy as np
import pytest
from msgspec.structs import replace

import edgekit
from edgekit.bundle.manifest import DbHead
from edgekit.errors import BundleError
from edgekit.tasks.registry import default_threads, make_task
from edgekit.tasks.trace import Trace


def test_strongest_colour_wins_and_softmax_sums_to_one(tiny_bundle):
    task = edgekit.load(tiny_bundle())
    picture = np.zeros((10, 14, 3), np.uint8)
    picture[..., 2] = 80
    trace = Trace()
    result = task(picture, trace)
    assert result.top(1)[0].label == "blue"
    assert float(result.scores.sum()) == pytest.approx(1.0, abs=1e-6)
    assert result.scores[2] == pytest.approx(np.exp(8) / (np.exp(8) + 2), rel=1e-5)
    assert [call.role for call in trace.calls] == ["model"]
    assert trace.calls[0].feeds["image"].shape == (1, 8, 8, 3)
    assert all(trace.ns[stage] > 0 for stage in ("pre", "infer", "post"))


def test_bgr_frames_are_understood(tiny_bundle):
    task = edgekit.load(tiny_bundle(), "fp16")
    bgr = np.zeros((8, 8, 3), np.uint8)
    bgr[..., 0] = 200
    assert task(edgekit.Frame(bgr, color="bgr")).top(1)[0].label == "blue"
    assert (task.variant, task.threads, task.bundle_name) == ("fp16", default_threads(), "tiny")


def test_another_head_is_refused(tiny_bundle, tmp_path):
    manifest = edgekit.open_bundle(tiny_bundle()).manifest
    model = manifest.variants[0].models["model"]
    head = DbHead("scores", 0.3, 0.5, 1.5, 3, 10)
    variant = replace(manifest.variants[0], models={"model": replace(model, head=head)})
    with pytest.raises(BundleError, match="class_head, got model: db_head"):
        make_task("classify", "tiny", variant, tmp_path)


def test_unknown_task_lists_the_known(tiny_bundle, tmp_path):
    variant = edgekit.open_bundle(tiny_bundle()).manifest.variants[0]
    with pytest.raises(BundleError, match="task 'smell' is not known"):
        make_task("smell", "tiny", variant, tmp_path)


def test_mixed_formats_are_refused(tiny_bundle, tmp_path):
    variant = edgekit.open_bundle(tiny_bundle()).manifest.variants[0]
    model = variant.models["model"]
    mixed = replace(variant, models={"a": model, "b": replace(model, format="tflite")})
    with pytest.raises(BundleError, match="expected one model format, got onnx, tflite"):
        make_task("classify", "tiny", mixed, tmp_path)
