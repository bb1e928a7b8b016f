from dataclasses import replace

from edgekit.machine import this_machine
from edgekit_export.lock import make_lock, tools_here
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import HALF_WEIGHTS, Recipe, recipe_from
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.resolve import resolve

MIXED = Recipe(name="mixed", mode=Mode.WEIGHT8, modes=(("conv0", Mode.WEIGHT12), ("scores", Mode.HALF)))


def small(tmp_path, small_classifier):
    path = tmp_path / "deep" / "small.onnx"
    path.parent.mkdir()
    path.write_bytes(small_classifier().SerializeToString())
    return resolve(str(path), BareInput("0to1"))


def test_a_lock_holds_recipes_that_are_read_back(tmp_path, small_classifier):
    source = small(tmp_path, small_classifier)
    recipes = {"mixed": {"model": MIXED}, "fp16": {"model": HALF_WEIGHTS}, "fp32": {}}
    lock = make_lock(source, ("int8", "fp16"), ("onnx",), None, None, recipes, {"normalize": "0to1"})
    assert set(lock.recipes) == {"mixed", "fp16"}
    assert recipe_from(lock.recipes["mixed"]["model"]) == MIXED
    assert recipe_from(lock.recipes["fp16"]["model"]) == HALF_WEIGHTS
    assert lock.recipes["mixed"]["model"]["modes"] == {"conv0": "weight12", "scores": "half"}
    assert (lock.precisions, lock.formats, lock.recipe) == (("int8", "fp16"), ("onnx",), "int8,fp16")
    assert lock.options == {"normalize": "0to1"}
    assert lock.cpu_features == this_machine().features
    assert lock.weights == {"model": source.graphs["model"].sha256}


def test_folders_stay_at_home(tmp_path, small_classifier):
    source = small(tmp_path, small_classifier)
    assert str(tmp_path) in source.origin
    for origin, named in (
        (source.origin, "small.onnx"),
        (str(tmp_path / "deep"), "deep"),
        ("owner/name@0123", "owner/name@0123"),
        ("nets:build", "nets:build"),
    ):
        lock = make_lock(replace(source, origin=origin), (), ("onnx",), None, None, {}, {})
        assert lock.source == named


def test_tools_of_a_format():
    assert {"python", "numpy", "onnx", "onnxruntime"} <= set(tools_here(("onnx",)))
    assert not {"litert-torch", "ai-edge-quantizer"} & set(tools_here(("onnx",)))
