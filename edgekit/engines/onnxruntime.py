"""ONNX Runtime on the CPU: the only file that imports it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read at import; without it the wheel starts a thread

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]

from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.errors import ModelError
from edgekit.machine import cpu_features
from edgekit.types import Array

SILENT = 4  # fatal only: warnings are not for users, and errors come as exceptions, which we tell once

ort.set_default_logger_severity(SILENT)

VNNI = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
"""CPU features with which products of 8-bit integers are summed in 32 bits."""

_NUMPY_NAMES = {"float": "float32", "double": "float64"}

_OPTIMIZATION = {
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
}


_FRUGAL = ort.RunOptions()
_FRUGAL.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

SPIN_US = 50
"""How long a decoder's threads wait awake for the next part of a token's work; see ``docs/generation.md``."""


def session_options(options: EngineOptions, *, spin_us: int = 0) -> Any:  # noqa: ANN401 (onnxruntime is untyped)
    """The options that ship: explicit threads, one operator at a time, exact int8 everywhere.

    Args:
        options: threads and optimisation.
        spin_us: how long threads wait for work by burning a core. A camera loop needs that core for its next frame
            (5.0 ms against 8.8 ms under contention).
    """
    made = ort.SessionOptions()
    made.intra_op_num_threads = options.threads
    made.inter_op_num_threads = 1
    made.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    made.graph_optimization_level = _OPTIMIZATION[options.optimization]
    made.log_severity_level = SILENT
    made.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin_us else "0")
    if spin_us:
        made.add_session_config_entry("session.intra_op.spin_duration_us", str(spin_us))
    if saturates(cpu_features()):
        made.add_session_config_entry("session.x64quantprecision", "1")
    return made


def saturates(features: Collection[str]) -> bool:
    """Whether the engine's default int8 kernels lose products on this CPU.

    With AVX2 but without VNNI, products of uint8 activations and int8 weights saturate in 16 bits, and up to 85
    of 255 steps are lost; the engine then has exact kernels for the asking. With VNNI the default ones are
    exact already, and twice as fast.
    """
    return "avx2" in features and not VNNI.intersection(features)


class OnnxRuntimeSession:
    """A loaded ONNX graph."""

    def __init__(self, session: ort.InferenceSession, path: Path, *, frugal: bool = False) -> None:
        self._session = session
        self._path = path
        self._run_options = _FRUGAL if frugal else None
        self.inputs = tuple(_spec(i) for i in session.get_inputs())
        self.outputs = tuple(_spec(o) for o in session.get_outputs())
        self._output_names = [o.name for o in self.outputs]

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Runs the graph once; see :class:`edgekit.engines.protocol.Session`."""
        try:
            outputs: list[Array] = self._session.run(self._output_names, dict(feeds), self._run_options)
        except Exception as error:
            raise ModelError(f"{self._path.name}: onnxruntime failed: {_first_line(error)}") from error
        return outputs

    def end_profiling(self) -> Path:
        """Stops and writes the profile that the session's settings asked for; the file it is in."""
        return Path(self._session.end_profiling())


class OnnxRuntimeDecoder:
    """A loaded decoder on shared buffers; see :class:`edgekit.engines.protocol.DecoderSession`."""

    def __init__(self, session: ort.InferenceSession, path: Path, pairs: Sequence[tuple[str, str]]) -> None:
        inputs = {spec.name: spec for spec in map(_spec, session.get_inputs())}
        outputs = {spec.name: spec for spec in map(_spec, session.get_outputs())}
        for given, made in pairs:
            if given not in inputs or made not in outputs:
                raise ModelError(
                    f"{path.name}: has no input {given!r} with an output {made!r}, which shall share an array"
                )
        self._session, self._path, self._pairs = session, path, tuple(pairs)
        self.shared = tuple(inputs[given] for given, _ in pairs)
        taken, written = {given for given, _ in pairs}, {made for _, made in pairs}
        self.inputs = tuple(spec for name, spec in inputs.items() if name not in taken)
        self.outputs = tuple(spec for name, spec in outputs.items() if name not in written)
        self._binding: Any = None
        self._buffers: Sequence[Array] = ()  # the binding holds their addresses only
        self._shapes: dict[tuple[tuple[int, ...], ...], list[tuple[TensorSpec, tuple[int, ...]]]] = {}

    def attach(self, buffers: Sequence[Array]) -> None:
        """Binds the arrays; see :class:`edgekit.engines.protocol.DecoderSession`."""
        binding = self._session.io_binding()
        for (given, made), spec, buffer in zip(self._pairs, self.shared, buffers, strict=True):
            fits = len(buffer.shape) == len(spec.shape) and all(
                wanted in (None, size) for size, wanted in zip(buffer.shape, spec.shape, strict=True)
            )
            if not fits or str(buffer.dtype) != spec.dtype or not buffer.flags.c_contiguous:
                got = f"{buffer.dtype} {'×'.join(map(str, buffer.shape))}"
                raise ModelError(f"{self._path.name}: {given}: expected a buffer {spec.form}, got {got}")
            value = ort.OrtValue.ortvalue_from_numpy(buffer)  # no copy
            binding.bind_ortvalue_input(given, value)
            binding.bind_ortvalue_output(made, value)
        self._binding, self._buffers = binding, tuple(buffers)

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Runs the graph once on the attached arrays; see :class:`edgekit.engines.protocol.Session`."""
        binding = self._binding
        if binding is None:
            raise ModelError(f"{self._path.name}: a decoder was run before it was given buffers")
        given = tuple(array.shape for array in feeds.values())
        try:
            for name, array in feeds.items():
                binding.bind_cpu_input(name, array)
            if given in self._shapes:
                made = [np.empty(shape, spec.dtype) for spec, shape in self._shapes[given]]
                for spec, array in zip(self.outputs, made, strict=True):
                    binding.bind_ortvalue_output(spec.name, ort.OrtValue.ortvalue_from_numpy(array))
                self._session.run_with_iobinding(binding)
                return made
            for spec in self.outputs:  # of shapes that are not known yet: the engine allocates them
                binding.bind_output(spec.name)
            self._session.run_with_iobinding(binding)
            # Only once for each shape: this makes an object of each shared output too, half a millisecond.
            found = [value.numpy() for value in binding.get_outputs()[len(self._pairs) :]]
        except Exception as error:
            raise ModelError(f"{self._path.name}: onnxruntime failed: {_first_line(error)}") from error
        self._shapes[given] = [(spec, array.shape) for spec, array in zip(self.outputs, found, strict=True)]
        return found


class OnnxRuntimeEngine:
    """ONNX Runtime's CPU execution provider."""

    name = "onnxruntime"
    formats = frozenset({"onnx"})

    @property
    def version(self) -> str:
        """Version of the installed wheel."""
        return str(ort.__version__)

    def load(self, path: Path, options: EngineOptions) -> OnnxRuntimeSession:
        """Loads an ``.onnx`` file; see :class:`edgekit.engines.protocol.Engine`."""
        return OnnxRuntimeSession(_open(path, session_options(options)), path, frugal=options.frugal)

    def load_with(self, path: Path, settings: Any) -> OnnxRuntimeSession:  # noqa: ANN401 (onnxruntime is untyped)
        """As :meth:`load`, with :func:`session_options` to which a caller added: a profile, say.

        Raises:
            ModelError: missing, truncated, foreign, or refused by the engine.
        """
        return OnnxRuntimeSession(_open(path, settings), path)

    def load_decoder(
        self, path: Path, options: EngineOptions, pairs: Sequence[tuple[str, str]]
    ) -> OnnxRuntimeDecoder:
        """Loads a decoder; see :class:`edgekit.engines.protocol.DecoderEngine`.

        Its threads spin a little: a token's work comes in many small parts, for which sleeping ones come too late.
        """
        settings = session_options(options, spin_us=SPIN_US)
        # Our graphs have no functions of their own; looking for some is a tenth of the time that loading takes.
        settings.add_session_config_entry("session.disable_aot_function_inlining", "1")
        return OnnxRuntimeDecoder(_open(path, settings), path, pairs)


def _open(path: Path, settings: Any) -> ort.InferenceSession:  # noqa: ANN401 (onnxruntime is untyped)
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    try:
        return ort.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"{path.name}: onnxruntime cannot load it: {_first_line(error)}",
            "check that it is a whole ONNX file with an opset this onnxruntime knows",
        ) from error


def _spec(value: Any) -> TensorSpec:  # noqa: ANN401 (onnxruntime is untyped)
    shape = tuple(d if isinstance(d, int) else None for d in value.shape)
    dtype = value.type.removeprefix("tensor(").removesuffix(")")
    return TensorSpec(value.name, _NUMPY_NAMES.get(dtype, dtype), shape)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300]
