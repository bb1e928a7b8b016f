import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock, call

import numpy as np
import pytest

from edgekit.engines import litert
from edgekit.engines.litert import LIBRARY, LiteRtEngine, open_session
from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.engines.registry import engine_for
from edgekit.errors import ModelError, UsageError
from edgekit.processing.codes import Codes
from tests import tflite_files
from tests.tflite_files import channel_means, ints, model, tensor

PIXELS = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
MEANS = PIXELS.mean((1, 2)) * 0.1
ONE = EngineOptions(threads=1)


@pytest.fixture
def load(tmp_path):
    def load(data, options=ONE):
        path = tmp_path / "m.tflite"
        path.write_bytes(data)
        return open_session(path, options)

    return load


def test_floats_in_and_out(load):
    session = load(channel_means())
    assert session.inputs == (TensorSpec("image", "float32", (1, 8, 8, 3)),)
    assert session.outputs == (TensorSpec("scores", "float32", (1, 3)),)
    np.testing.assert_allclose(session.run({"image": PIXELS.astype(np.float32)})[0], MEANS, rtol=1e-6)


def test_integer_codes_are_the_engines_business(load):
    session = load(channel_means("int8"))
    (image,), (scores,) = session.inputs, session.outputs
    assert image == TensorSpec("image", "float32", (1, 8, 8, 3), Codes("int8", 1.0, -128))
    assert scores.codes == Codes("int8", float(np.float32(0.1)), -128)
    (from_bytes,) = session.run({"image": PIXELS})
    (from_floats,) = session.run({"image": PIXELS.astype(np.float32)})
    assert from_bytes.dtype == np.float32
    np.testing.assert_array_equal(from_bytes, from_floats)
    np.testing.assert_allclose(from_bytes, MEANS, atol=0.051)  # half a step and rounding of the means


def test_without_delegates_the_numbers_are_the_same(load):
    for precision, feed in (("fp32", PIXELS.astype(np.float32)), ("int8", PIXELS)):
        all_, none = (
            load(channel_means(precision), EngineOptions(1, level)).run({"image": feed})[0]
            for level in ("all", "none")
        )
        np.testing.assert_allclose(all_, none, rtol=1e-6)


def test_options_reach_the_interpreter(load, monkeypatch):
    given = {}
    real = litert._tflite.Interpreter

    def remember(**options):
        given.update(options)
        return real(**options)

    monkeypatch.setattr(litert._tflite, "Interpreter", remember)
    load(channel_means(), EngineOptions(3, "none"))
    resolver = litert._tflite.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    assert (given["num_threads"], given["experimental_op_resolver_type"]) == (3, resolver)


def test_a_dynamic_dimension_takes_any_size_and_comes_back(load):
    session = load(channel_means("int8", batch=-1))
    assert (session.inputs[0].shape, session.outputs[0].shape) == ((None, 8, 8, 3), (None, 3))
    once, twice, again = (session.run({"image": PIXELS.repeat(n, 0)})[0] for n in (1, 2, 1))
    assert (once.shape, twice.shape) == ((1, 3), (2, 3))
    np.testing.assert_array_equal(twice, once.repeat(2, 0))
    np.testing.assert_array_equal(again, once)


def test_a_size_that_the_graph_cannot_take_fails_each_time(load):
    """Batches of two, multiplied by a matrix for batches of any size whose contents are only for one."""
    tensors = [tensor("x", (-1, 2), 0), tensor("y", (3, 2), 0, 1), tensor("sum", (3, 2), 0)]
    add = {0: ("I", 0), 1: ints(0, 1), 2: ints(2), 3: ("B", 11), 4: {}}
    session = load(model(tensors, [add], [0], [np.ones((3, 2), np.float32).tobytes()], ((0,), (2,))))
    for _ in range(2):
        with pytest.raises(ModelError, match=r"m\.tflite: litert failed: "):
            session.run({"x": np.zeros((2, 2), np.float32)})
    np.testing.assert_array_equal(session.run({"x": np.zeros((3, 2), np.float32)})[0], np.ones((3, 2)))


@pytest.mark.parametrize(
    ("options", "inputs", "outputs"),
    [
        ({}, "image", "scores"),
        ({"signature": ({"picture": 0}, {"classes": 4})}, "picture", "classes"),
        ({"signature": ({"picture": 0}, {"odd": 2})}, "image", "scores"),  # of tensors that are no outputs
        ({"names": ("", "")}, "input:0", "output:0"),
        ({"names": ("x", "x")}, "x", "x"),
    ],
)
def test_names_are_the_signatures_then_the_tensors_then_places(load, options, inputs, outputs):
    session = load(channel_means(**options))
    assert ([s.name for s in session.inputs], [s.name for s in session.outputs]) == ([inputs], [outputs])


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({}, "inputs are image, got nothing"),
        ({"picture": PIXELS}, "inputs are image, got picture"),
        ({"image": PIXELS}, "expected float32 1×8×8×3, got uint8 1×8×8×3"),
        ({"image": np.zeros((1, 4, 4, 3), np.float32)}, "expected float32 1×8×8×3, got float32 1×4×4×3"),
        ({"image": np.zeros((8, 8, 3), np.float32)}, "got float32 8×8×3"),
    ],
)
def test_feeds_that_do_not_fit(load, feeds, message):
    with pytest.raises(ModelError, match=message):
        load(channel_means()).run(feeds)


def test_quantised_inputs_take_bytes_and_floats_alone(load):
    with pytest.raises(ModelError, match="expected float32 1×8×8×3 or uint8, got int8"):
        load(channel_means("int8")).run({"image": PIXELS.view(np.int8)})


def test_texts_and_scales_per_channel_are_refused(load):
    data = tensor("image", (1, 8, 8, 3), tflite_files.INT8)
    data[4] = {2: np.ones(3, np.float32), 3: np.zeros(3, np.int64), 6: ("i", 3)}
    identity = model([data], [], [0], [], ((0,), (0,)))
    with pytest.raises(ModelError, match=r"input 'image': expected one scale above 0 .*, got 3 scales"):
        load(identity)
    words = tensor("words", (1,), tflite_files.STRING)
    with pytest.raises(ModelError, match="input 'words' holds .*, expected numbers"):
        load(model([words], [], [0], [], ((0,), (0,))))


def test_an_unknown_operator_is_named(load):
    tensors = [tensor("x", (1,), 0), tensor("y", (1,), 0)]
    operator = {0: ("I", 0), 1: ints(0), 2: ints(1)}
    with pytest.raises(ModelError, match=r"m\.tflite: litert cannot load it: .*unknown"):
        load(model(tensors, [operator], [tflite_files.CUSTOM], [], ((0,), (1,))))


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="no such model file"):
        LiteRtEngine().load(tmp_path / "gone.tflite", ONE)


def test_the_version_says_which_library_it_is():
    engine = engine_for("tflite")
    assert engine.name == "litert"
    assert engine.version.endswith(f" ({LIBRARY})")
    assert engine.version.split(".")[0].isdigit()
    with pytest.raises(UsageError, match="litert runs tflite, not onnx"):
        engine_for("onnx", "litert")


def test_nothing_is_written_to_stderr(tmp_path):
    """The native log's line about its delegate comes once a process; what others write meanwhile is not lost."""
    (tmp_path / "m.tflite").write_bytes(channel_means())
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom edgekit.engines import litert\n"
        "from edgekit.engines.protocol import EngineOptions\n"
        "with litert._without_chatter():\n"
        "    litert.open_session(Path(sys.argv[1]), EngineOptions(threads=1))\n"
        "    os.write(2, b'kept\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "m.tflite"], capture_output=True, timeout=60, check=True
    )
    assert done.stderr == b"kept\n"


def test_a_scalar_is_never_resized():
    """To be told a scalar's shape, which is empty, ends the process on ARM."""
    details = [
        {"index": index, "name": name, "dtype": np.int32, "shape": np.array(shape),
         "shape_signature": np.array(signature), "quantization_parameters": {"scales": [], "zero_points": []}}
        for index, name, shape, signature in ((3, "ids", [1, 1], [1, -1]), (5, "total", [], []))
    ]  # fmt: skip
    told = Mock(spec=["get_input_details", "get_output_details", "get_signature_list", "resize_tensor_input",
                      "allocate_tensors", "set_tensor"])  # fmt: skip
    told.get_input_details.return_value, told.get_output_details.return_value = details, []
    told.get_signature_list.return_value = {}
    session = litert.LiteRtSession(told, Path("m.tflite"))
    feeds = {"ids": np.zeros((1, 7), np.int32), "total": np.array(7, np.int32)}
    assert [session.place(feeds), session.place(feeds)] == [True, False]
    assert told.resize_tensor_input.mock_calls == [call(3, (1, 7), strict=True)]
    assert [args[0][0] for args in told.set_tensor.call_args_list] == [3, 5, 3, 5]


def test_two_loads_at_once_leave_stderr_where_it_was():
    """The second one begins inside the first, and would end behind it."""
    script = (
        "import os, threading\nfrom edgekit.engines import litert\n"
        "inside, over = threading.Event(), threading.Event()\n"
        "def second():\n"
        "    with litert._without_chatter():\n"
        "        inside.set()\n"
        "        over.wait()\n"
        "thread = threading.Thread(target=second)\n"
        "with litert._without_chatter():\n"
        "    thread.start()\n"
        "    inside.wait(0.3)\n"  # it is not let in: the longer, the surer
        "over.set()\n"
        "thread.join()\n"
        "os.write(2, b'told\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=True)
    assert done.stderr == b"told\n"


@pytest.mark.parametrize(
    ("installed", "numpy", "message"),
    [
        (
            (),
            "1.26.4",
            "engine litert: neither ai-edge-litert nor tflite-runtime is installed (pip install 'edgekit[litert]')",
        ),
        (("tflite_runtime",), "2.0.0", "engine litert: tflite-runtime 9.1 needs numpy below 2, got 2.0.0 "),
        (("tflite_runtime",), "1.26.4", "9.1 (tflite-runtime)"),
        (("ai_edge_litert",), "2.0.0", "9.1 (ai-edge-litert)"),
        (("ai_edge_litert", "tflite_runtime"), "1.26.4", "9.1 (ai-edge-litert)"),
        (("ai_edge_litert broken", "tflite_runtime"), "1.26.4", "engine litert: no libc "),
    ],
)
def test_which_library_is_taken(tmp_path, installed, numpy, message):
    """One that is broken is said, not replaced by the other."""
    for entry in installed:
        name, _, broken = entry.partition(" ")
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("__version__ = '9.1'\n")
        resolver = "class OpResolverType: AUTO = BUILTIN_WITHOUT_DEFAULT_DELEGATES = 0\n"
        (tmp_path / name / "interpreter.py").write_text(
            "raise ImportError('no libc')" if broken else resolver
        )
    script = (
        "import importlib.util, sys\n"
        "real, hidden = importlib.util.find_spec, ('ai_edge_litert', 'tflite_runtime')\n"
        f"known = {[entry.split()[0] for entry in installed]!r}\n"
        "importlib.util.find_spec = lambda n, *a: None if n in hidden and n not in known else real(n, *a)\n"
        "sys.path.insert(0, sys.argv[1])\n"
        f"import numpy; numpy.__version__ = {numpy!r}\n"
        "from edgekit.engines.registry import get_engine\n"
        "from edgekit.errors import EnvironmentLacks\n"
        "try:\n    print(get_engine('litert').version)\n"
        "except EnvironmentLacks as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith(message), done.stdout
