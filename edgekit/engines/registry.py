"""Which engine runs which model format. An explicit table: nothing is guessed and nothing falls back."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from edgekit.engines.protocol import Engine
from edgekit.errors import EnvironmentLacks, UsageError

ENGINES: dict[str, str] = {
    "onnxruntime": "edgekit.engines.onnxruntime:OnnxRuntimeEngine",
    "litert": "edgekit.engines.litert:LiteRtEngine",
}
"""Engine name → where its class is; imported when it is chosen."""

DEFAULT_ENGINE: dict[str, str] = {"onnx": "onnxruntime", "tflite": "litert"}
"""Model format → the engine that runs it unless another is named."""

_INSTALL = {"litert": "pip install 'edgekit[litert]'"}


def get_engine(name: str) -> Engine:
    """The engine of that name.

    Raises:
        UsageError: no such engine; the message lists them.
        EnvironmentLacks: it is known, but its library is not installed.
    """
    if name not in ENGINES:
        raise UsageError(f"engine: got {name!r}", f"choose from {', '.join(sorted(ENGINES))}")
    module, _, attribute = ENGINES[name].partition(":")
    try:
        return cast(Engine, getattr(import_module(module), attribute)())
    except ImportError as error:
        raise EnvironmentLacks(
            f"engine {name}: {error}", _INSTALL.get(name, f"pip install {name}")
        ) from error


def engine_for(model_format: str, name: str | None = None) -> Engine:
    """The engine for a model format: the one named, or the format's default.

    Raises:
        UsageError: the named engine does not run this format.
        EnvironmentLacks: no engine here runs this format.
    """
    if name is None:
        if model_format not in DEFAULT_ENGINE:
            raise EnvironmentLacks(
                f"no engine here runs {model_format} models",
                f"formats that run: {', '.join(sorted(DEFAULT_ENGINE))}",
            )
        return get_engine(DEFAULT_ENGINE[model_format])
    engine = get_engine(name)
    if model_format not in engine.formats:
        usual = DEFAULT_ENGINE.get(model_format)
        raise UsageError(
            f"engine {name} runs {', '.join(sorted(engine.formats))}, not {model_format}",
            "leave --engine out" + (f": {usual} runs it" if usual else "") + ", or choose another variant",
        )
    return engine
