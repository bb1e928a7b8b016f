"""Runs a peer's recipe in an interpreter of its own and keeps what it made."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

ONNXRUNTIME = ("MinMax", "Entropy", "Percentile", "dynamic", "int4 blocks", "float16")
NNCF = (
    "MIXED",
    "MIXED, accurate bias",
    "PERFORMANCE",
    "accuracy control",
    "weights INT8_ASYM, mended",
    "weights INT4_SYM, mended",
)
AI_EDGE = (
    "static_wi8_ai8",
    "dynamic_wi8_afp32",
    "weight_only_wi8_afp32",
    "weight_only_wi4_afp32",
)


@dataclass(frozen=True)
class Made:
    """What came of a recipe.

    Attributes:
        name: of the row.
        data: the model file; empty if there is none.
        versions: distribution → version of what made it; empty if there is none.
        reason: why there is none; empty if there is one.
    """

    name: str
    data: bytes = b""
    versions: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Peer:
    """A quantiser with its interpreter.

    Attributes:
        name: of the rows.
        module: its script in this package.
        python: the interpreter that has it.
        recipes: of the script's table.
        timeout_s: for one recipe.
    """

    name: str
    module: str
    python: str
    recipes: Sequence[str]
    timeout_s: float

    def make(self, recipe: str, model: Path, feeds: Path, keep: Path) -> Made:
        """Runs one recipe; a result of the same script, graph and data in ``keep`` is taken as it is."""
        name = f"{self.name} {recipe}"
        stem = keep / self._key(recipe, model, feeds)
        out, told = stem.with_suffix(model.suffix), stem.with_suffix(".json")
        if not told.is_file():
            out.unlink(missing_ok=True)
            arguments = [recipe, str(model), str(feeds), str(out)]
            found = run_module(self.python, self.module, arguments, self.timeout_s)
            if isinstance(found, str):
                return Made(name, reason=found)
            if not out.is_file():
                return Made(name, reason="it wrote no file")
            told.write_text(found.stdout.strip().splitlines()[-1])
        return Made(name, out.read_bytes(), json.loads(told.read_text()))

    def _key(self, recipe: str, model: Path, feeds: Path) -> str:
        digest = hashlib.sha256(f"{self.python}\0{recipe}".encode())
        for path in (HERE / f"{self.module}.py", HERE / "job.py", model, *sorted(feeds.glob("*.npz"))):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return f"{self.module}-{digest.hexdigest()[:24]}"


def run_module(
    python: str, module: str, arguments: Sequence[str], timeout_s: float
) -> subprocess.CompletedProcess[str] | str:
    """Runs a script of this package on one thread; what came of it, or why nothing did."""
    known = os.environ.get("PYTHONPATH", "")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), known))),
        "OMP_NUM_THREADS": "1",
    }
    command = [python, "-m", f"benchmarks.{HERE.name}.{module}", *arguments]
    try:
        found = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not done after {timeout_s:g} s"
    except OSError as error:
        return f"{python}: {error.strerror or error}"
    if found.returncode:
        return reason_of(found.stderr, found.returncode)
    return found


def reason_of(stderr: str, code: int) -> str:
    """The last line that names an error, else how it ended."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line or "Exception" in line]
    told = (named or lines or ["nothing said"])[-1][:300]
    return f"{told} (signal {-code})" if code < 0 else told
