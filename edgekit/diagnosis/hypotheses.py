"""Faults that a graph may have built in: each says what alteration would make it agree, if it is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from edgekit.bundle.manifest import ClassHead, CtcHead
from edgekit.diagnosis import levels
from edgekit.diagnosis.alteration import Alteration
from edgekit.diagnosis.declared import ALPHABET, LABEL_MAP, activation_of
from edgekit.diagnosis.evidence import LARGEST_LOGIT, distance, noise
from edgekit.diagnosis.order import class_order, suspicious
from edgekit.diagnosis.probes import Probes, all_muted, muted, probes
from edgekit.types import F32, Array

SURE_TIMES = 4.0
"""An effect must be so many times its standard error, which comes of few pictures."""

LEAST_GAIN = 0.06
LEAST_SHIFT = 6.0
LEAST = np.array([LEAST_GAIN] * 3 + [LEAST_SHIFT] * 3)
"""Smaller ones are what int8 does to small graphs: a rounded zero point, a clipped tail."""

LEAST_SCALE = 0.1
SCALE_LEFT = 0.85
"""Share of the noise that a scale may leave."""

NEIGHBOURS = 0.25
"""Share of a line's steps that say something of their own."""

MEANS = (0.0, 140.0)
"""Where a graph's mean lies, in levels: 0 to 128 in all that are known."""

SIMPLER = 0.8
"""A simpler explanation is taken if it explains this share of what the full one does."""

LEAST_FALL = 0.1
"""Share of the noise that a change of levels must explain."""

LOUD = 0.03
"""Noise over signal from which on a fault may be so large that the way to it is not downhill."""

AGREES = 0.5
"""Share of an alteration's effect by which the noise must fall: 1 for a fault, 0 or less for none."""

LARGE = np.array([0.3] * 3 + [32.0] * 3)
AFAR = 0.6
"""Larger changes than these must leave no more than this share of the noise: they would show."""

EXPLAINED = 0.3
FEW = 2
GAINS = (0.5, 0.7, 1.0, 1.4, 2.0)
SHIFTS = (-128.0, -96.0, -64.0, -32.0, 0.0, 32.0, 64.0, 96.0, 128.0)
CENTERS = (128.0, 64.0, 192.0)
REACH = 48.0
"""Largest distance of a probe's level from its centre, at a quarter of the contrast."""


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """A fault that explains what is seen.

    Attributes:
        stages: what is broken, each with what shows it.
        alteration: that makes reference and candidate agree.
        left: share of the noise that is left.
    """

    stages: tuple[tuple[str, str], ...]
    alteration: Alteration
    left: float


def swapped_channels(_natural: Probes, muted_ones: Probes, base: Alteration) -> Hypothesis | None:
    """Red and blue change places inside the graph."""
    other = replace(base, swapped=not base.swapped)
    wanted, plain, turned = muted_ones.wanted(base), muted_ones.answers(base), muted_ones.answers(other)
    apart = np.array([distance(a, b) for a, b in zip(plain, turned, strict=True)])
    gain = np.array([distance(a, c) - distance(b, c) for a, b, c in zip(plain, turned, wanted, strict=True)])
    if not apart.sum():
        return None
    share, error = _ratio(gain, apart)
    if share < SURE_TIMES * error or share < 0.3:
        return None
    evidence = (
        f"with red and blue exchanged it gives what the reference does ({50 + 50 * share:.0f} % of the way)"
    )
    return Hypothesis((("channel order", evidence),), other, noise(turned, wanted) / noise(plain, wanted))


def _ratio(numerator: Array, denominator: Array) -> tuple[float, float]:
    """Ratio of sums and its standard error, by leaving out one picture at a time."""
    n = len(numerator)
    ratio = float(numerator.sum() / denominator.sum())
    rest = denominator.sum() - denominator
    if n < 2 or not np.all(rest > 0):
        return ratio, np.inf
    without = (numerator.sum() - numerator) / rest
    return ratio, float(np.sqrt((n - 1) / n * np.square(without - without.mean()).sum()))


def scaled_logits(natural: Probes, _muted: Probes, base: Alteration) -> Hypothesis | None:
    """All logits are a constant times too large, or too high."""
    wanted, plain = natural.wanted(base), natural.answers(base)
    pairs = [(a, b) for a, b in zip(plain, wanted, strict=True) if a.shape == b.shape]
    if not pairs:
        return None
    free = activation_of(natural.candidate.model.head) == "sigmoid" or pairs[0][0].shape[1] == 1
    scale, offset, error = _line([_undecided(a, b) for a, b in pairs] if free else pairs, free)
    spread = float(np.sqrt(np.mean(np.square(np.concatenate([a.ravel() for a, _ in pairs])))))
    if scale < 0.05 or (abs(scale - 1) < max(LEAST_SCALE, SURE_TIMES * error) and abs(offset) < spread / 4):
        return None
    other = replace(base, scale=base.scale * scale, offset=base.offset + offset * base.scale)
    before, after = noise(plain, wanted), noise(plain, natural.wanted(other))
    if after > SCALE_LEFT * before:
        return None
    raised = f" and {offset:+.2f} higher" if abs(offset) >= spread / 4 else ""
    evidence = f"its logits are {scale:.2f} times the reference's{raised}"
    return Hypothesis((("output scale", evidence),), other, after / before)


def _undecided(reference: F32, candidate: F32) -> tuple[F32, F32]:
    """A map's pixels that are not cut off; all logits of other heads."""
    if reference.shape[1] > 1:
        return reference, candidate
    inside = (reference > 0) & (reference < 2 * LARGEST_LOGIT)
    return reference[inside], candidate[inside]


def _line(pairs: list[tuple[F32, F32]], free: bool) -> tuple[float, float, float]:
    """Slope and offset of the candidate's logits over the reference's, and the slope's standard error."""
    means = np.zeros(2)
    if free:
        means = np.array([np.mean(np.concatenate([pair[k].ravel() for pair in pairs])) for k in (0, 1)])
    centered = [(a.astype(np.float64) - means[0], b.astype(np.float64) - means[1]) for a, b in pairs]
    products = np.array([np.vdot(a, b) for a, b in centered])
    squares = np.array([np.vdot(a, a) for a, _ in centered])
    scale, error = _ratio(products, squares)
    return scale, float(means[1] - scale * means[0]), error


def other_order(natural: Probes, muted_ones: Probes, base: Alteration) -> Hypothesis | None:
    """Classes come out in another order."""
    head = natural.candidate.model.head
    if not isinstance(head, ClassHead | CtcHead):
        return None
    classifier = isinstance(head, ClassHead)
    a, b = _answered([natural, muted_ones], base)
    if a.shape != b.shape or not suspicious(a, b):
        return None
    more = [_answered([one], base) for one in _views(natural)]
    a, b = (np.concatenate([x, *(rows[k] for rows in more)]) for k, x in enumerate((a, b)))
    order = class_order(a, b, 1.0 if classifier else NEIGHBOURS)
    if order is None:
        return None
    moved = np.flatnonzero(order != np.arange(len(order)))
    stage = LABEL_MAP if classifier else ALPHABET
    by = np.unique(order[moved] - moved)
    where = f"each by {by[0]:+d}" if by.size == 1 else f"e.g. {moved[0]} as {order[moved[0]]}"
    evidence = f"{moved.size} of its {len(order)} classes come out in another place, {where}"
    whole = order if base.order is None else base.order[order]
    return Hypothesis(
        ((stage, evidence),), replace(base, order=whole), noise([a], [b[:, order]]) / noise([a], [b])
    )


def _answered(asked: Sequence[Probes], base: Alteration) -> tuple[F32, F32]:
    """Rows of the reference's answers and of the candidate's."""
    plain = [rows for one in asked for rows in one.answers(base)]
    return np.concatenate(plain), np.concatenate([rows for one in asked for rows in one.wanted(base)])


def _views(natural: Probes) -> Iterator[Probes]:
    """The same pictures mirrored, upside down and in parts: more answers to tell classes by."""
    for view in (
        lambda x: x[:, ::-1],
        lambda x: x[::-1],
        lambda x: np.roll(x, x.shape[1] // 3, axis=1),
        lambda x: 255 - x,
        lambda x: np.roll(x, x.shape[0] // 3, axis=0)[:, ::-1],
        lambda x: muted(x, 1, 0.7, 100.0)[::-1],
    ):
        yield probes(
            [np.ascontiguousarray(view(one)) for one in natural.levels], natural.reference, natural.candidate
        )


def shifted_levels(natural: Probes, muted_ones: Probes, base: Alteration) -> Hypothesis | None:
    """Mean or std inside the graph are others."""
    first = levels.fit_at(muted_ones, base, np.zeros(6))
    loud = first.noise > LOUD
    if first.falls < LEAST_FALL and not loud:
        return None
    asked, whole = muted_ones, first
    if first.falls >= LEAST_FALL / 2:
        whole = levels.fit(muted_ones, base, first)
    if loud and whole.noise > EXPLAINED * first.noise:
        asked, whole = _from_afar(natural, base) or (asked, whole)
    before = noise(asked.wanted(base), asked.answers(base))
    if whole.noise > (1 - LEAST_FALL) * before:
        return None
    whole = _simpler(asked, base, whole, before)
    if not whole.significant(LEAST, SURE_TIMES).any():
        return None
    other = levels.altered(base, whole.values)
    if (np.abs(whole.values) > LARGE).any() and whole.noise > EXPLAINED * before:
        return None
    if not _confirmed(natural, base, other):
        return None
    return Hypothesis(tuple(_named(whole)), other, whole.noise / before)


def _confirmed(natural: Probes, base: Alteration, other: Alteration) -> bool:
    """Whether it also holds in as much contrast as fits: int8 may go astray on muted pictures alone.

    If the candidate is the altered reference with noise of its own, the noise falls by as much as the alteration
    changes; if the alteration has nothing to do with it, the noise grows by that.
    """
    ends = np.sort((np.array([[0.0], [255.0]]) - other.shift) / other.gain, axis=0)
    low, high = max(0.0, float(ends[0].max())), min(255.0, float(ends[1].min()))
    if high - low < REACH:
        return True  # there is no such contrast
    fitting = [np.asarray(np.rint(low + one * (high - low) / 255), np.float32) for one in natural.levels]
    asked = probes(fitting, natural.reference, natural.candidate)
    wanted = asked.wanted(base)
    plain, altered = asked.answers(base), [asked.answer(i, other) for i in range(len(fitting))]
    falls = noise(wanted, plain) - noise(wanted, altered)
    effect = sum(distance(a, b) for a, b in zip(plain, altered, strict=True))
    return falls * sum(float(np.square(rows, dtype=np.float64).sum()) for rows in wanted) >= AGREES * effect


def _simpler(asked: Probes, base: Alteration, whole: levels.Fit, before: float) -> levels.Fit:
    """A shift alone, if it explains nearly as much."""
    start = levels.fit_at(asked, base, np.where(levels.SHIFTS, whole.values, 0.0), levels.SHIFTS)
    shift = levels.fit(asked, base, start, levels.SHIFTS)
    return shift if before - shift.noise >= SIMPLER * (before - whole.noise) else whole


def _named(found: levels.Fit) -> Iterator[tuple[str, str]]:
    sure = found.significant(LEAST, SURE_TIMES)
    gains, shifts = 1 + found.values[:3], found.values[3:]
    scaled = sure[:3]
    if scaled.any():
        times = ", ".join(f"{1 / gain:.2f}" for gain in gains)
        yield "std", f"its graph divides levels by {times} times the reference's std (red, green, blue)"
    gain = found.values[:3]
    pivot = np.clip(
        levels.MIDDLE - shifts / np.where(scaled, gain, 1.0), *MEANS
    )  # its own mean, if that is right
    apart = np.abs(shifts + np.where(scaled, gain * (pivot - levels.MIDDLE), 0.0))
    if np.any((apart >= LEAST_SHIFT) & (apart >= SURE_TIMES * found.error[3:])):
        higher = ", ".join(f"{-shift:+.1f}" for shift in shifts)
        yield (
            "mean",
            f"it takes a middle grey {higher} levels darker than the reference does (red, green, blue)",
        )


def _from_afar(natural: Probes, base: Alteration) -> tuple[Probes, levels.Fit] | None:
    """Tries far-off levels, the same in every channel, where the way from no change at all leads nowhere."""
    best: tuple[Probes, levels.Fit] | None = None
    for center in CENTERS:
        quiet = probes(all_muted(natural.levels, 0.25, center), natural.reference, natural.candidate)
        start = _best_start(quiet.first(FEW), base, center)
        if start is None:
            continue
        found = levels.fit(quiet, base, levels.fit_at(quiet, base, start))
        if best is None or found.noise < best[1].noise:
            best = quiet, found
        if found.noise < EXPLAINED * LOUD:
            break
    return best


def _best_start(asked: Probes, base: Alteration, center: float) -> Array | None:
    """The best of a grid of gains and shifts that keep levels within 0–255, if it explains something."""
    wanted = asked.wanted(base)
    near = noise(wanted, asked.answers(base))
    best: tuple[float, Array | None] = (AFAR * near, None)
    for gain, shift in product(GAINS, SHIFTS):
        middle = gain * center + shift
        if middle - gain * REACH < 0 or middle + gain * REACH > 255:
            continue
        values = np.array([gain - 1] * 3 + [shift + levels.MIDDLE * (gain - 1)] * 3)
        left = noise(wanted, asked.answers(levels.altered(base, values)))
        if left < best[0]:
            best = left, values
    return best[1]


def explain(natural: Probes, muted_ones: Probes, base: Alteration) -> Hypothesis | None:
    """The fault that leaves the least noise; levels, which take longest, are tried where others leave much."""
    cheap = (swapped_channels, scaled_logits, other_order)
    found = [h for test in cheap if (h := test(natural, muted_ones, base)) is not None]
    if not any(one.left < EXPLAINED * EXPLAINED for one in found):
        shifted = shifted_levels(natural, muted_ones, base)
        found += [] if shifted is None else [shifted]
    return min(found, key=lambda one: one.left, default=None)
