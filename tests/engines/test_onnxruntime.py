import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit.engines.onnxruntime import OnnxRuntimeEngine, saturates, session_options
from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.engines.registry import engine_for, get_engine
from edgekit.errors import EnvironmentLacks, ModelError, UsageError


@pytest.fixture
def model(tiny_bundle):
    from edgekit import open_bundle

    return open_bundle(tiny_bundle()).folder() / "int8" / "model.onnx"


def test_specs_and_a_run(model):
    session = OnnxRuntimeEngine().load(model, EngineOptions(threads=1))
    assert session.inputs == (TensorSpec("image", "uint8", (1, 8, 8, 3)),)
    assert session.outputs == (TensorSpec("scores", "float32", (1, 3)),)
    (scores,) = session.run({"image": np.full((1, 8, 8, 3), 50, np.uint8)})
    np.testing.assert_allclose(scores, [[5.0, 5.0, 5.0]], rtol=1e-6)


def test_optimisation_changes_nothing_here(model):
    image = np.arange(192, dtype=np.uint8).reshape(1, 8, 8, 3)
    runs = [
        OnnxRuntimeEngine().load(model, EngineOptions(threads=1, optimization=level)).run({"image": image})[0]
        for level in ("all", "none")
    ]
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-6)


def test_options_that_ship():
    options = session_options(EngineOptions(threads=3))
    assert options.intra_op_num_threads == 3
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_a_run_gives_its_memory_back_where_that_is_asked_for(tmp_path):
    """A product of 2,048 rows makes 32 MB, and the engine would keep them twice."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["big"]),
            helper.make_node("MatMul", ["big", "v"], ["bigger"]),
            helper.make_node("ReduceSum", ["bigger"], ["y"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2048, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
        [
            numpy_helper.from_array(np.ones((4, 4096), np.float32), "w"),
            numpy_helper.from_array(np.ones((4096, 1024), np.float32), "v"),
        ],
    )
    path = tmp_path / "big.onnx"
    path.write_bytes(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
        ).SerializeToString()
    )
    kept, frugal = (growth_bytes(path, frugal) for frugal in ("", "frugal"))
    assert kept > 60e6
    assert frugal < kept - 20e6


def growth_bytes(path, frugal):
    """Of the resident memory by two runs, in a process of its own: one that freed much before takes that again."""
    script = (
        "import sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from edgekit.engines.onnxruntime import OnnxRuntimeEngine\n"
        "from edgekit.engines.protocol import EngineOptions\n"
        "from edgekit.metrics import resident_bytes\n"
        "options = EngineOptions(threads=1, frugal=bool(sys.argv[2]))\n"
        "session = OnnxRuntimeEngine().load(Path(sys.argv[1]), options)\n"
        "before = resident_bytes()\n"
        "for _ in range(2):\n"  # what the first one takes first, the engine keeps in any case
        "    (total,) = session.run({'x': np.ones((2048, 4), np.float32)})\n"
        "    assert total == 2048 * 1024 * 4096 * 4\n"
        "print(resident_bytes() - before)\n"
    )
    command = [sys.executable, "-c", script, path, frugal]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout)


def test_settings_that_a_caller_added_to(model, tmp_path):
    settings = session_options(EngineOptions(threads=1))
    settings.enable_profiling = True
    settings.profile_file_prefix = str(tmp_path / "profile")
    session = OnnxRuntimeEngine().load_with(model, settings)
    session.run({"image": np.zeros((1, 8, 8, 3), np.uint8)})
    profile = session.end_profiling()
    assert profile.parent == tmp_path
    assert "_kernel_time" in profile.read_text(encoding="utf-8")


@pytest.mark.parametrize("threads", [0, 257])
def test_threads_out_of_range(threads):
    with pytest.raises(ValueError, match="1 to 256"):
        EngineOptions(threads=threads)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x07"])
def test_files_that_are_no_models(tmp_path, content):
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"m\.onnx: onnxruntime cannot load it"):
        OnnxRuntimeEngine().load(tmp_path / "m.onnx", EngineOptions())


def test_a_truncated_model(model, tmp_path):
    (tmp_path / "m.onnx").write_bytes(model.read_bytes()[:-40])
    with pytest.raises(ModelError):
        OnnxRuntimeEngine().load(tmp_path / "m.onnx", EngineOptions())


def test_a_missing_model(tmp_path):
    with pytest.raises(ModelError, match="no such model file"):
        OnnxRuntimeEngine().load(tmp_path / "gone.onnx", EngineOptions())


def test_a_wrong_feed_is_a_model_error(model):
    session = OnnxRuntimeEngine().load(model, EngineOptions(threads=1))
    with pytest.raises(ModelError, match="onnxruntime failed"):
        session.run({"image": np.zeros((1, 4, 4, 3), np.uint8)})


def test_registry():
    assert engine_for("onnx").name == "onnxruntime"
    assert engine_for("onnx", "onnxruntime").version.count(".") == 2
    with pytest.raises(UsageError, match="choose from litert, onnxruntime"):
        get_engine("caffe")
    with pytest.raises(EnvironmentLacks, match="no engine here runs gguf"):
        engine_for("gguf")
    with pytest.raises(UsageError, match="runs onnx, not tflite") as caught:
        engine_for("tflite", "onnxruntime")
    assert caught.value.remedy == "leave --engine out: litert runs it, or choose another variant"
    with pytest.raises(UsageError, match="runs onnx, not gguf") as caught:
        engine_for("gguf", "onnxruntime")
    assert caught.value.remedy == "leave --engine out, or choose another variant"


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (("avx", "avx2", "fma"), True),
        (("avx2", "avx512f"), True),
        (("avx2", "avx512f", "avx512_vnni"), False),
        (("avx2", "avx_vnni"), False),
        (("asimd", "asimddp"), False),
        ((), False),
    ],
)
def test_exact_kernels_are_asked_for_only_where_the_default_ones_saturate(features, expected):
    assert saturates(features) is expected


def test_an_engine_that_fails_tells_it_in_our_error_only(tmp_path, capfd):
    weights = numpy_helper.from_array(np.zeros((4, 4, 3, 3), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "three channels for four",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "c", 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weights],
    )
    path = tmp_path / "m.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    session = OnnxRuntimeEngine().load(path, EngineOptions(threads=1))
    with pytest.raises(ModelError, match=r"m\.onnx: onnxruntime failed: .*channels"):
        session.run({"x": np.zeros((1, 3, 8, 8), np.float32)})
    assert capfd.readouterr().err == ""
