"""Tries a model file in a child process before it comes into this one, because a bad file can end the process.

A ``.tflite`` file names sizes and indices that its interpreter believes, and real files exist that make it abort
or write where it should not. So a file that is new to this machine is first loaded and run in a child with limits;
that it held is remembered in the cache by its SHA-256, so that the trial costs once. This keeps accidents away. It is
no prison: a file made to take over a process can do so in the child, which runs as the same user.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bundle.atomic import replacing
from edgekit.bundle.cache import cache_root
from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.errors import EnvironmentLacks, ModelError, OutputError
from edgekit.machine import this_machine
from edgekit.processing.codes import Codes
from edgekit.types import Array

RULES = "2"
"""Number of the trial's rules; what was proven by others is tried again."""

NOISY_RUNS = 3  # damage to the heap shows at the next use of it, and some of it depends on the numbers
NOISE = 100.0
SECONDS = 60  # of processors and of wall clock; an abort can hang for ever where threads wait for it
BYTES_PER_S = 1_000_000  # of a file that earn it another second: a small board runs a large model for minutes
MEMORY_BYTES = 4 << 30  # of address space, beside what the file itself takes
FILE_COPIES = 4
MESSAGE_CHARS = 200

_BOOTSTRAP = (
    "import json, sys; job = json.load(sys.stdin); sys.path[:] = job.pop('sys_path'); "
    "from edgekit.engines.trial import child; child(**job)"
)
_REMEDY = "the model is damaged or foreign, or this version of the interpreter cannot take it"


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial found in a file: its inputs and outputs, in the graph's order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def require_proof(path: Path, engine: str, options: EngineOptions) -> None:
    """Returns if this very file held in a trial on this machine before, or does now.

    Args:
        path: the model file.
        engine: name and version; another one is another proof, as is another processor.
        options: how it will run; the optimisation chooses kernels, and is a part of the proof.

    Raises:
        ModelError: the child died, or the interpreter refuses the file.
        OutputError: the cache cannot be written.
    """
    proof = cache_root() / "trials" / _proof_name(path, engine, options)
    if proof.is_file():
        return
    try_model(path, options)
    try:
        proof.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cache {proof.parent}: {error.strerror or error}") from error
    with replacing(proof) as file:
        file.write(f"{path.name} held in a trial by {engine}\n".encode(errors="backslashreplace"))


def try_model(path: Path, options: EngineOptions) -> Tried:
    """Loads and runs a ``.tflite`` file in a child process: zeros in, then noise, at the shapes that it declares.

    Inputs of integers that are no codes stay zeros: they may be indices, for which not every number is right.

    Args:
        path: the model file.
        options: how it will run; the child uses one thread.

    Raises:
        ModelError: the child died, took too long, or the interpreter refuses the file.
        EnvironmentLacks: no child can be started here.
    """
    if not sys.executable:
        raise EnvironmentLacks("no Python to try a model with: sys.executable is empty")
    seconds = _seconds(path)
    job = {"sys_path": sys.path, "path": str(path.absolute()), "optimization": options.optimization}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _BOOTSTRAP],
            input=json.dumps(job).encode(),
            capture_output=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each of its threads takes address space
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path.name}: not loaded and run within {seconds} s", _REMEDY) from error
    if done.returncode:
        raise ModelError(f"{path.name}: {_death(done.returncode, done.stderr)}", _REMEDY)
    report = json.loads(done.stdout.splitlines()[-1])
    if "refusal" in report:
        raise ModelError(report["refusal"], report["remedy"])
    return Tried(tuple(map(_spec, report["inputs"])), tuple(map(_spec, report["outputs"])))


def child(path: str, optimization: Any) -> None:  # noqa: ANN401 (from JSON)
    """What the child process does; prints one line of JSON."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, _seconds(Path(path)))
    _limit(resource.RLIMIT_AS, MEMORY_BYTES + FILE_COPIES * Path(path).stat().st_size)
    try:
        report = _load_and_run(Path(path), EngineOptions(threads=1, optimization=optimization))
    except ModelError as error:
        report = {"refusal": error.message, "remedy": error.remedy}
    gc.collect()  # freeing is where a damaged heap shows
    sys.stdout.write(json.dumps(report) + "\n")


def _load_and_run(path: Path, options: EngineOptions) -> dict[str, Any]:
    from edgekit.engines.litert import open_session

    session = open_session(path, options)
    noise = np.random.Generator(np.random.PCG64(0))
    for scale in (0.0, *[NOISE] * NOISY_RUNS):
        session.run({spec.name: _feed(spec, scale, noise) for spec in session.inputs})
    return {"inputs": [asdict(s) for s in session.inputs], "outputs": [asdict(s) for s in session.outputs]}


def _feed(spec: TensorSpec, scale: float, noise: np.random.Generator) -> Array:
    shape = [1 if size is None else size for size in spec.shape]
    if np.dtype(spec.dtype).kind != "f":
        return np.zeros(shape, spec.dtype)
    return (noise.standard_normal(shape, np.float32) * np.float32(scale)).astype(spec.dtype)


def _proof_name(path: Path, engine: str, options: EngineOptions) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    machine = this_machine()
    where = (RULES, engine, options.optimization, machine.architecture, *machine.features)
    return f"{digest}.{hashlib.sha256(' '.join(where).encode()).hexdigest()[:16]}"


def _seconds(path: Path) -> int:
    return SECONDS + path.stat().st_size // BYTES_PER_S


def _limit(what: int, value: int) -> None:
    """Sets a limit, or a lower one that holds already."""
    hard = resource.getrlimit(what)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (value, value))


def _death(code: int, stderr: bytes) -> str:
    try:
        how = f"ends the process with {signal.Signals(-code).name}"
    except ValueError:
        how = f"ends the process with exit code {code}"
    text = stderr.decode("utf-8", "replace").splitlines()
    said = [line.strip() for line in text if line.strip() and not line.startswith(("INFO: ", "  File"))]
    last = "".join(c if c.isprintable() else "?" for c in said[-1][:MESSAGE_CHARS]) if said else ""
    return f"{how} when it is loaded and run in a trial{f': {last}' if last else ''}"


def _spec(fields: dict[str, Any]) -> TensorSpec:
    codes = Codes(**fields["codes"]) if fields["codes"] else None
    return TensorSpec(fields["name"], fields["dtype"], tuple(fields["shape"]), codes)
