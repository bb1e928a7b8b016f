"""Does this device compute what the exporter measured? Golden inputs through every variant of a bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bundle.manifest import Expected, Golden
from edgekit.bundle.reader import Bundle, open_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import BundleError
from edgekit.tasks.content import golden_content
from edgekit.tasks.golden import GOLDEN_OVERLAP, alike, decision, digest, probe, run_golden
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import find_variant, load
from edgekit.tasks.trace import Trace
from edgekit.types import Array


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one golden input.

    Attributes:
        input: member name of the input.
        ok: decision, shapes and values are all as they must be.
        exact: every output of every engine call is equal to the bit.
        max_abs: largest difference at the probed values; infinite where shapes differ.
        allowed: the largest ``max_abs`` that the bundle allows, over its engine calls.
        margin: distance of the decision from changing, in the same units; None where nothing is decided.
        problem: what is wrong, empty if nothing is.
    """

    input: str
    ok: bool
    exact: bool
    max_abs: float
    allowed: float
    margin: float | None
    problem: str

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit selftest --json`` prints it; infinities become null."""
        return {
            "input": self.input,
            "ok": self.ok,
            "exact": self.exact,
            "max_abs": self.max_abs if np.isfinite(self.max_abs) else None,
            "margin": self.margin,
            "allowed": self.allowed,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class VariantOutcome:
    """What came of all golden inputs of one variant."""

    variant: str
    engine: str
    threads: int
    outcomes: tuple[Outcome, ...]

    @property
    def ok(self) -> bool:
        """All inputs came out right. A variant without golden inputs proves nothing and is not ok."""
        return bool(self.outcomes) and all(o.ok for o in self.outcomes)


def selftest(
    path: Path,
    variant: str | None = None,
    *,
    options: EngineOptions | None = None,
    loader: Callable[..., Task] = load,
) -> list[VariantOutcome]:
    """Runs the golden inputs of a bundle on this device.

    Args:
        path: the bundle.
        variant: only this variant; all of them by default.
        options: how the engine runs.
        loader: what loads a variant; a test passes its own.

    Raises:
        BundleError: the bundle is damaged or carries no golden input.
        UsageError: no such variant.
    """
    bundle = open_bundle(path)
    bundle.folder(rehash=True)  # a device's storage may rot without a write
    if not bundle.manifest.golden:
        raise BundleError(
            f"{path.name}: carries no golden vectors", "export it again with this version of edgekit"
        )
    chosen = bundle.manifest.variants if variant is None else (find_variant(bundle.manifest, variant),)
    results = []
    for one in chosen:
        task = loader(path, one.name, options=options)
        goldens = [g for g in bundle.manifest.golden if g.variant == one.name]
        outcomes = tuple(check(bundle, golden, task) for golden in goldens)
        results.append(VariantOutcome(one.name, task.engine, task.threads, outcomes))
    return results


def check(bundle: Bundle, golden: Golden, task: Task) -> Outcome:
    """Runs one golden input and compares every engine call, then the decision."""
    trace = Trace()
    result = run_golden(task, golden_content(bundle, golden), trace)
    calls = [(call, name, output) for call in trace.calls for name, output in call.told]
    problem, exact, worst = "", True, 0.0
    if len(calls) != len(golden.expected):
        problem, exact, worst = f"expected {len(golden.expected)} outputs, got {len(calls)}", False, np.inf
    for expected, (call, name, output) in zip(golden.expected, calls, strict=False):
        difference, same, wrong = _compare(bundle, expected, call.role, name, output)
        worst, exact, problem = max(worst, difference), exact and same, problem or wrong
    if not alike(task.name, golden.decision, decision(result), GOLDEN_OVERLAP):
        problem = problem or f"expected decision {golden.decision!r}, got {decision(result)!r}"
    allowed = max(e.max_abs for e in golden.expected)
    return Outcome(golden.input, not problem, exact, float(worst), allowed, golden.margin, problem)


def _compare(
    bundle: Bundle, expected: Expected, role: str, name: str, output: Array
) -> tuple[float, bool, str]:
    """Largest difference at the probed values, whether all bytes are equal, and what is wrong."""
    where = f"{expected.role} output {expected.output}"
    got = (role, name, str(output.dtype), output.shape)
    if got != (expected.role, expected.output, expected.dtype, expected.shape):
        return (
            np.inf,
            False,
            f"{where}: expected {expected.dtype} {expected.shape}, got {got[2]} {got[3]} of {role}",
        )
    if digest(output) == expected.sha256:
        return 0.0, True, ""
    stored = np.frombuffer(bundle.read(expected.probe), dtype=expected.dtype)
    difference = float(
        np.abs(probe(output, stored.size).astype(np.float64) - stored.astype(np.float64)).max()
    )
    if expected.max_abs == 0:
        return difference, False, f"{where}: must be equal to the bit, differs by up to {difference:.3g}"
    if not difference <= expected.max_abs:
        return difference, False, f"{where}: differs by {difference:.3g}, allowed {expected.max_abs:.3g}"
    return difference, False, ""
