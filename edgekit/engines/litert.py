"""LiteRT on the CPU, for ``.tflite`` files: the only file that imports it.

Two wheels have the same interpreter: ai-edge-litert, and its forerunner tflite-runtime. Where both are installed
ai-edge-litert is used, and the version says which of them it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

if find_spec("ai_edge_litert") is not None:
    import ai_edge_litert as _package  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from ai_edge_litert import interpreter as _tflite

    LIBRARY = "ai-edge-litert"
elif find_spec("tflite_runtime") is None:
    raise ImportError("neither ai-edge-litert nor tflite-runtime is installed")
else:
    import tflite_runtime as _package  # type: ignore[import-not-found,import-untyped,no-redef,unused-ignore]
    from tflite_runtime import interpreter as _tflite

    LIBRARY = "tflite-runtime"
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # it would fail later, in words that help nobody
        raise ImportError(f"tflite-runtime {_package.__version__} needs numpy below 2, got {np.__version__}")

from edgekit.engines.litert_decoder import LiteRtDecoder
from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.engines.trial import require_proof
from edgekit.errors import ModelError
from edgekit.processing.codes import Codes, dequantize, quantize
from edgekit.types import Array

_RESOLVER = {
    "all": _tflite.OpResolverType.AUTO,
    "none": _tflite.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}
_CHATTER = b"INFO: "  # lines of the native log, such as that a delegate was created
_STDERR = threading.Lock()  # two loads at once would each put back what the other had put there, for good


class LiteRtSession:
    """A loaded TFLite model. Its tensors are real values: see ``docs/bundle-processing.md``, section 4.5."""

    def __init__(self, interpreter: Any, path: Path) -> None:  # noqa: ANN401 (the library is untyped)
        self._interpreter = interpreter
        self._name = path.name
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        signed_inputs, signed_outputs = _signature(interpreter, inputs, outputs)
        self.inputs = tuple(_specs(inputs, signed_inputs, "input", self._name))
        self.outputs = tuple(_specs(outputs, signed_outputs, "output", self._name))
        self._input_indices = [int(detail["index"]) for detail in inputs]
        self._output_indices = [int(detail["index"]) for detail in outputs]
        self._shapes = [tuple(map(int, detail["shape"])) for detail in inputs]
        self._allocated = True

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Runs the graph once; see :class:`edgekit.engines.protocol.Session`."""
        names = [spec.name for spec in self.inputs]
        if feeds.keys() != set(names):
            raise ModelError(
                f"{self._name}: inputs are {', '.join(names)}, got {', '.join(feeds) or 'nothing'}"
            )
        self.place(feeds)
        return self.compute()

    def place(self, feeds: Mapping[str, Array]) -> bool:
        """Puts some inputs where the graph reads them; the others keep their shapes, and what they hold.

        Returns:
            Whether memory was allocated anew for other shapes, so that the others hold nothing now.

        Raises:
            ModelError: an array does not fit its input, or the engine failed.
        """
        arrays = [
            _stored(feeds[spec.name], spec, self._name) if spec.name in feeds else None
            for spec in self.inputs
        ]
        shapes = [
            shape if array is None else array.shape for array, shape in zip(arrays, self._shapes, strict=True)
        ]
        with self._told():
            moved = self._resize(shapes)
            for index, array in zip(self._input_indices, arrays, strict=True):
                if array is not None:
                    self._interpreter.set_tensor(index, array)
        return moved

    def memory(self, position: int) -> Array:
        """What the graph reads as its input of that number, to write into; it must be gone before the next call."""
        found: Array = self._interpreter.tensor(self._input_indices[position])()
        return found

    def compute(self) -> list[Array]:
        """Runs the graph on what its inputs hold; one array an output, in the graph's order.

        Raises:
            ModelError: the engine failed.
        """
        with self._told():
            self._interpreter.invoke()
            found = [self._interpreter.get_tensor(index) for index in self._output_indices]
        return [_real(array, spec) for array, spec in zip(found, self.outputs, strict=True)]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise ModelError(f"{self._name}: litert failed: {_first_line(error)}") from error

    def _resize(self, shapes: list[tuple[int, ...]]) -> bool:
        if self._allocated and shapes == self._shapes:
            return False
        self._allocated = False  # until it is done; a failure must not look like a success next time
        for index, shape in zip(self._input_indices, shapes, strict=True):
            if shape:  # a scalar has no other; to be told so ends the process on ARM (ai-edge-litert 2.3.0)
                self._interpreter.resize_tensor_input(index, shape, strict=True)
        self._interpreter.allocate_tensors()
        self._shapes, self._allocated = shapes, True
        return True


class LiteRtEngine:
    """LiteRT's CPU kernels; floating point and int8 by XNNPACK where it has a kernel."""

    name = "litert"
    formats = frozenset({"tflite"})

    @property
    def version(self) -> str:
        """Version and name of the installed wheel, such as ``2.3.0 (ai-edge-litert)``."""
        return f"{_package.__version__} ({LIBRARY})"

    def load(self, path: Path, options: EngineOptions) -> LiteRtSession:
        """Loads a ``.tflite`` file, tried in a child process if it never was here.

        See :class:`edgekit.engines.protocol.Engine` and :mod:`edgekit.engines.trial`.
        """
        if not path.is_file():
            raise ModelError(f"{path}: no such model file")
        require_proof(path, f"{self.name} {self.version}", options)
        with _without_chatter():
            return open_session(path, options)

    def load_decoder(
        self, path: Path, options: EngineOptions, pairs: Sequence[tuple[str, str]]
    ) -> LiteRtDecoder:
        """Loads a decoder; see :class:`edgekit.engines.protocol.DecoderEngine`."""
        return LiteRtDecoder(self.load(path, options), path, pairs)


def open_session(path: Path, options: EngineOptions) -> LiteRtSession:
    """Loads a file into this process without trying it in another one first: a bad file may end the process.

    Raises:
        ModelError: the interpreter refuses it.
    """
    try:
        interpreter = _tflite.Interpreter(
            model_path=str(path),
            num_threads=options.threads,
            experimental_op_resolver_type=_RESOLVER[options.optimization],
        )
        interpreter.allocate_tensors()
    except Exception as error:
        raise ModelError(
            f"{path.name}: litert cannot load it: {_first_line(error)}",
            f"check that it is a whole TFLite file with operators that {LIBRARY} {_package.__version__} knows",
        ) from error
    return LiteRtSession(interpreter, path)


def _signature(
    interpreter: Any,  # noqa: ANN401 (the library is untyped)
    inputs: Iterable[Mapping[str, Any]],
    outputs: Iterable[Mapping[str, Any]],
) -> tuple[dict[int, str], dict[int, str]]:
    """Tensor index → name, for inputs and outputs, of the first signature of the main graph; empty without one."""
    for key in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(key)
        signed_inputs, signed_outputs = runner.get_input_details(), runner.get_output_details()
        if _places(signed_inputs.values()) == _places(inputs) and (
            _places(signed_outputs.values()) <= _places(outputs)
        ):
            return _names(signed_inputs), _names(signed_outputs)
    return {}, {}


def _places(details: Iterable[Mapping[str, Any]]) -> set[tuple[int, str]]:
    return {(int(detail["index"]), detail["name"]) for detail in details}


def _names(signed: Mapping[str, Mapping[str, Any]]) -> dict[int, str]:
    return {int(detail["index"]): name for name, detail in signed.items()}


def _specs(
    details: Sequence[Mapping[str, Any]], signed: Mapping[int, str], kind: str, file: str
) -> Iterator[TensorSpec]:
    names = [signed.get(int(detail["index"])) or str(detail["name"]) for detail in details]
    for position, (detail, name) in enumerate(zip(details, names, strict=True)):
        unique = name if name and names.count(name) == 1 else f"{kind}:{position}"
        dtype = np.dtype(detail["dtype"])
        if dtype.kind not in "biuf":
            raise ModelError(f"{file}: {kind} {unique!r} holds {dtype}, expected numbers")
        codes = _codes(detail, dtype, f"{file}: {kind} {unique!r}")
        shape = tuple(None if size < 0 else int(size) for size in detail["shape_signature"])
        yield TensorSpec(unique, "float32" if codes else str(dtype), shape, codes)


def _codes(detail: Mapping[str, Any], dtype: np.dtype[Any], where: str) -> Codes | None:
    parameters = detail["quantization_parameters"]
    scales, zero_points = parameters["scales"], parameters["zero_points"]
    if dtype.kind not in "iu" or not len(scales):
        return None
    if len(scales) != 1 or len(zero_points) != 1 or not 0 < float(scales[0]) < np.inf:
        raise ModelError(f"{where}: expected one scale above 0 and one zero point, got {len(scales)} scales")
    return Codes(str(dtype), float(scales[0]), int(zero_points[0]))


def _stored(array: Array, spec: TensorSpec, file: str) -> Array:
    """A feed as the interpreter stores it."""
    fits = len(array.shape) == len(spec.shape) and all(
        wanted in (None, size) for size, wanted in zip(array.shape, spec.shape, strict=True)
    )
    if not fits or (str(array.dtype) != spec.dtype and not (spec.codes and array.dtype == np.uint8)):
        got = f"{array.dtype} {'×'.join(map(str, array.shape))}"
        raise ModelError(
            f"{file}: input {spec.name!r}: expected {spec.form}{' or uint8' if spec.codes else ''}, got {got}",
            "the bundle's input and its model do not fit: export it again",
        )
    return quantize(array, spec.codes) if spec.codes else array


def _real(array: Array, spec: TensorSpec) -> Array:
    return dequantize(array, spec.codes) if spec.codes else array


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keeps the native log's notices off stderr; what else is written there meanwhile appears afterwards."""
    try:
        os.fstat(2)
    except OSError:  # closed by the caller
        yield
        return
    with _STDERR, os.fdopen(os.memfd_create("stderr"), "r+b") as kept:
        stderr = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            kept.seek(0)
            others = b"".join(line for line in kept if not line.startswith(_CHATTER))
            if others:
                os.write(2, others)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
