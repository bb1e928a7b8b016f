"""A bundle whose model files shall be made again: what its lock asks for, and whether what is here is the same.

The bundle may be a stranger's: whatever its lock holds ends in plans or in an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.bundle.manifest import Lock, Manifest, Variant
from edgekit.bundle.messages import some_of
from edgekit.bundle.reader import open_bundle
from edgekit.cli.values import parse_count
from edgekit.data.dataset import Dataset, digest_starts
from edgekit.errors import BundleError, UsageError
from edgekit_export.quantize.recipe import Recipe, recipe_from
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.packages import file_sha256
from edgekit_export.sources.tflite_file import AS_IT_IS
from edgekit_export.variants import TFLITE_ENDING, Format, Plan

_LIMIT = "limit"
_OLD = "export it again with this edgekit, whose locks hold the recipes"
_DAMAGED = "its lock was not written by this edgekit: export it again"


@dataclass(frozen=True, slots=True, eq=False)
class Locked:
    """What is to be made again.

    Attributes:
        path: of the bundle.
        manifest: its own.
        plans: what makes its variants, in their order; none for files that were wrapped as they are.
    """

    path: Path
    manifest: Manifest
    plans: tuple[Plan, ...]

    @property
    def lock(self) -> Lock:
        """What the bundle was made from."""
        return self.manifest.lock

    @property
    def limit(self) -> int | None:
        """How many samples were measured on at most, where that was asked for.

        Raises:
            UsageError: it is no count.
        """
        text = self.lock.options.get(_LIMIT)
        return None if text is None else parse_count(text)

    def bare(self, labels: Path | None) -> BareInput:
        """What was said of the source.

        Args:
            labels: the file that was given with it, given again.

        Raises:
            UsageError: other labels, or options that this edgekit does not know.
        """
        told = {name: value for name, value in self.lock.options.items() if name != _LIMIT}
        bare = BareInput.of_options(told, labels)
        locked, here = told.get("labels"), None if labels is None else _sha256(labels)
        if locked != here:
            remedy = "give the same file again with --labels" if locked else "leave --labels out"
            raise UsageError(f"{self.path}: labels: got {_short(here)}, expected {_short(locked)}", remedy)
        return bare

    def plans_in(self, formats: tuple[Format, ...], *, wraps: bool) -> list[Plan]:
        """The plans, all of them in these formats.

        Args:
            formats: that graphs can be made in here.
            wraps: whether the source's files are wrapped too.

        Raises:
            BundleError: the bundle has variants in others, or none that could be made.
        """
        other = {form for plan in self.plans for form in plan.formats} - set(formats)
        if other or not (self.plans or wraps):
            got = ", ".join(sorted(other)) or "no variant that is made of a graph"
            raise BundleError(f"{self.path}: got {got}, expected variants in {', '.join(formats)}", _DAMAGED)
        return list(self.plans)

    def check_weights(self, weights: Mapping[str, str]) -> None:
        """Compares the source's weights with those of the lock.

        Args:
            weights: as :func:`edgekit_export.lock.weights_of` gives them.

        Raises:
            UsageError: others.
        """
        for role in sorted({*weights, *self.lock.weights}):
            here, locked = weights.get(role), self.lock.weights.get(role)
            if here != locked:
                raise UsageError(
                    f"{self.path}: weights of {role!r}: got {_short(here)}, expected {_short(locked)}",
                    f"give the very source that the bundle was made of ({self.lock.source}), "
                    "with its --weights or --reference",
                )

    def check_data(self, calibration: Dataset | None, evaluation: Dataset | None) -> None:
        """Compares data with those of the lock; without data to evaluate on, nothing is measured.

        Raises:
            UsageError: others, or none to calibrate on.
        """
        lock = self.lock
        if (calibration.sha256 if calibration else None) != lock.calibration_sha256:
            what = _compared(calibration, lock.calibration_sha256, lock.calibration_n)
            known = set(lock.calibration_sources)
            new = (
                [one for one in digest_starts(calibration.digests) if one not in known] if calibration else []
            )
            beside = f"; {len(new)} of their sources are not in the lock" if calibration else ""
            raise UsageError(
                f"{self.path}: calibration data: {what}{beside}", _remedy("--calib", calibration)
            )
        if evaluation is not None and evaluation.sha256 != lock.evaluation_sha256:
            what = _compared(evaluation, lock.evaluation_sha256, lock.evaluation_n)
            raise UsageError(
                f"{self.path}: evaluation data: {what}",
                f"{_remedy('--eval', evaluation)}; other data measure a finished bundle with edgekit validate",
            )


def open_locked(path: Path) -> Locked:
    """Opens a bundle to be made again.

    Raises:
        BundleError: it is damaged, or its lock does not hold what its variants need.
        UsageError: its lock is of an edgekit that kept no recipes.
    """
    manifest = open_bundle(path).manifest
    if not manifest.lock.formats:
        raise UsageError(f"{path}: its lock is an old one, which names no recipes and no formats", _OLD)
    return Locked(path, manifest, plans_of(manifest, str(path)))


def plans_of(manifest: Manifest, where: str) -> tuple[Plan, ...]:
    """What makes the variants of a bundle again: those of one recipe in several formats are one plan.

    Raises:
        BundleError: a variant has no recipe for one of its graphs, or none that can be understood.
    """
    plans: list[Plan] = []
    for variant in manifest.variants:
        if variant.recipe == AS_IT_IS:
            continue
        form = _format(variant, where)
        recipes = _recipes(variant, manifest.lock.recipes.get(variant.name, {}), where)
        name = variant.name.removesuffix(TFLITE_ENDING) if form == "tflite" else variant.name
        last = plans[-1] if plans else None
        if last and (last.name, last.recipes) == (name, recipes) and form not in last.formats:
            plans[-1] = Plan(last.precision, (*last.formats, form), name, recipes)
        else:
            plans.append(Plan(variant.precision, (form,), name, recipes))
    return tuple(plans)


def _format(variant: Variant, where: str) -> Format:
    found = sorted({model.format for model in variant.models.values()})
    if len(found) != 1:
        raise BundleError(
            f"{where}: variant {variant.name!r}: expected one format, got {', '.join(found)}", _DAMAGED
        )
    return found[0]


def _recipes(variant: Variant, tables: Mapping[str, Mapping[str, Any]], where: str) -> dict[str, Recipe]:
    """Role → recipe; full precision has none."""
    wanted = set() if variant.precision == "fp32" and not tables else set(variant.models)
    if set(tables) != wanted:
        got, expected = some_of(tables), some_of(wanted)
        raise BundleError(
            f"{where}: lock: variant {variant.name!r}: recipes: got {got}, expected one for each of {expected}",
            _DAMAGED,
        )
    found = {}
    for role, table in sorted(tables.items()):
        try:
            found[role] = recipe_from(table)
        except UsageError as error:
            what = f"lock: variant {variant.name!r}, graph {role!r}: {error.message:.300}"
            raise BundleError(f"{where}: {what}", error.remedy or _DAMAGED) from error
    return found


def _compared(data: Dataset | None, sha256: str | None, n: int) -> str:
    got = f"{len(data)} samples, {_short(data.sha256)}" if data else "none"
    return f"got {got}, expected {f'{n} samples, {_short(sha256)}' if sha256 else 'none'}"


def _remedy(option: str, data: Dataset | None) -> str:
    return (
        f"give the same data with {option}, in the same order"
        if data
        else f"give it again with {option} DATA"
    )


def _short(sha256: str | None) -> str:
    return "none" if sha256 is None else f"SHA-256 {sha256}"


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"--labels {path}: no such file")
    return file_sha256(path)
