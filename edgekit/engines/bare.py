"""A model file where a bundle is wanted: what it is, and how to make a bundle of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.bundle.messages import SHOWN, printable
from edgekit.bundle.ranges import FileRange
from edgekit.bundle.tflite_model import IDENTIFIER, check_tflite
from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.engines.registry import engine_for
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.engines.trial import Tried


def bare_format(path: Path) -> str | None:
    """``tflite``, by content or name, or ``onnx``, by name; None for anything else."""
    if not path.is_file():  # nor a FIFO, which would block
        return None
    with path.open("rb") as file:
        if file.read(8)[4:] == IDENTIFIER:
            return "tflite"
    return {".tflite": "tflite", ".onnx": "onnx"}.get(path.suffix.lower())


def refuse_bare(path: Path) -> None:
    """Returns if the file is no bare model; else says what it takes and gives, and which command makes a bundle of it.

    A foreign ``.tflite`` file is checked and tried in a child process, each time, and never loaded here.

    Raises:
        BundleError: the file is damaged.
        ModelError: it ends the interpreter, or the interpreter refuses it.
        EnvironmentLacks: no engine for it is installed.
        UsageError: it is whole, but nothing says what its numbers mean.
    """
    found = bare_format(path)
    if found is None:
        return
    tensors = f": {_tensors(look_at_tflite(path))}" if found == "tflite" else ""
    name = shlex.quote(str(path))
    target = shlex.quote(f"{path.stem}.edge")
    raise UsageError(
        f"{path}: a bare {found} model, not a bundle{tensors}; nothing in it says what they mean",
        f"edgekit export {name} -o {target} --task TASK, then run {target}",
    )


def look_at_tflite(path: Path) -> Tried:
    """Checks the structure of a ``.tflite`` file, then loads and runs it in a child process.

    Raises:
        BundleError, ModelError, EnvironmentLacks: see :func:`refuse_bare`.
    """
    from edgekit.engines.trial import try_model

    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        check_tflite(FileRange(handle, 0, os.fstat(handle).st_size, str(path)), str(path))
    finally:
        os.close(handle)
    engine_for("tflite")  # says what to install, where a child could only fail
    return try_model(path, EngineOptions())


def _tensors(tried: Tried) -> str:
    return f"it takes {_list(tried.inputs)} and gives {_list(tried.outputs)}"


def _list(specs: Sequence[TensorSpec]) -> str:
    more = f" and {len(specs) - SHOWN} more" if len(specs) > SHOWN else ""
    return ", ".join(f"{printable(spec.name)} {spec.form}" for spec in specs[:SHOWN]) + more
