"""Do the intervals and the gate keep their error rates? Simulated pairs of models whose true drop is known.

    python benchmarks/coverage.py [--repetitions 1000] [--ap-repetitions 200] [--metrics top1 cer ap ...] [--seed 1]

For every case it counts how often

* the true drop lies beyond an end of the two-sided 90 % interval, which is a one-sided bound at 95 %: bar 7 %;
* a gate set exactly at the true drop says PASS, by the ends of the 95 % interval as shipped, after one look at
  all samples and after up to four looks with early stopping: bar 6.2 %.

It prints every case and the worst, and exits 1 if a bar is missed. Samples are drawn anew for each repetition;
detections are drawn with replacement from a population of images, whose own drop is the true one.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from edgekit.statistics.average_precision import ap_drop, average_precision
from edgekit.statistics.gate import gate
from edgekit.statistics.interval import Interval
from edgekit.statistics.matching import Found, Matches, MatchTable, matches
from edgekit.statistics.paired import tango
from edgekit.statistics.proportion import wilson
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.statistics.ratio import ratio_moments
from edgekit.statistics.spending import look_confidences, plan_looks
from edgekit.types import Detections

SIZES = (100, 1_000, 10_000)
RATES = (0.005, 0.01, 0.02, 0.025, 0.03, 0.05, 0.1)
LOOKS = 4
MOST_MISSED = 0.07
MOST_FALSE_PASSES = 0.062

IntervalAt = Callable[[float], Interval]  # of a confidence
Sampled = Callable[[int], IntervalAt]  # of the first n samples of one repetition


@dataclass(frozen=True)
class Case:
    """One kind of damage at one size; ``draw`` makes the samples of one repetition."""

    metric: str
    kind: str
    rate: float
    n: int
    drop: float
    draw: Callable[[np.random.Generator], Sampled]


@dataclass(frozen=True)
class Counts:
    """Shares of the repetitions of a case."""

    above: float  # true drop beyond the upper end at 90 %
    below: float  # beyond the lower
    passed: float  # false passes at one look
    passed_looking: float  # at up to LOOKS looks
    used: float  # mean share of the samples at which looking ended

    @property
    def holds(self) -> bool:
        """Whether no bar is missed."""
        return max(self.above, self.below) <= MOST_MISSED and self.false_passes <= MOST_FALSE_PASSES

    @property
    def false_passes(self) -> float:
        """The worse of the two ways to look."""
        return max(self.passed, self.passed_looking)


def simulate(case: Case, repetitions: int, rng: np.random.Generator) -> Counts:
    """Repeats one case."""
    looks = plan_looks(case.n, LOOKS)
    plan = list(zip(looks, look_confidences(looks), strict=True))
    sums = np.zeros(5)
    for _ in range(repetitions):
        sampled = case.draw(rng)
        whole = sampled(case.n)
        bounds, shipped = whole(0.9), whole(CONFIDENCE)
        passed = gate(shipped.high, shipped.low, case.drop) == "PASS"
        verdict, at = _look(plan, sampled, whole, case.drop)
        sums += bounds.high < case.drop, bounds.low > case.drop, passed, verdict == "PASS", at / case.n
    return Counts(*(sums / repetitions).tolist())


def _look(plan: list[tuple[int, float]], sampled: Sampled, whole: IntervalAt, drop: float) -> tuple[str, int]:
    for n, confidence in plan:
        found = (whole if n == plan[-1][0] else sampled(n))(confidence)
        verdict = gate(found.high, found.low, drop)
        if verdict != "INCONCLUSIVE":
            return verdict, n
    return "INCONCLUSIVE", plan[-1][0]


# top-1 and disagreement


def top1_cases(sizes: tuple[int, ...], rates: tuple[float, ...]) -> Iterator[Case]:
    """Flips of which all, three quarters, half or a quarter are losses."""
    ends = lru_cache(None)(tango)
    for n in sizes:
        for rate in rates:
            for lost in (1.0, 0.75, 0.5, 0.25):

                def draw(
                    rng: np.random.Generator, n: int = n, rate: float = rate, lost: float = lost
                ) -> Sampled:
                    flipped = rng.random(n) < rate
                    was_lost = (flipped & (rng.random(n) < lost)).cumsum()
                    gained = flipped.cumsum() - was_lost
                    return lambda m: lambda c: ends(int(was_lost[m - 1]), int(gained[m - 1]), m, c)

                yield Case("top-1", f"{lost:.0%} lost", rate, n, rate * (2 * lost - 1), draw)


def disagreement_cases(sizes: tuple[int, ...], rates: tuple[float, ...]) -> Iterator[Case]:
    """Flips, whatever is right."""
    ends = lru_cache(None)(wilson)
    for n in sizes:
        for rate in rates:

            def draw(rng: np.random.Generator, n: int = n, rate: float = rate) -> Sampled:
                flipped = (rng.random(n) < rate).cumsum()
                return lambda m: lambda c: ends(int(flipped[m - 1]), m, c)

            yield Case("disagreement", "flips", rate, n, rate, draw)


# character error rate


def cer_cases(sizes: tuple[int, ...], rates: tuple[float, ...]) -> Iterator[Case]:
    """Lines of 2 to 40 characters, some changed: by one character, by several, lost whole now and then."""
    for kind in ("one", "several", "rarely whole", "both ways", "whole"):
        edits, characters = lines(np.random.default_rng(0), 2_000_000, 1.0, kind)
        mean = edits.sum() / characters.sum()
        for n in sizes:
            for rate in rates:

                def draw(
                    rng: np.random.Generator, n: int = n, rate: float = rate, kind: str = kind
                ) -> Sampled:
                    change, weight = lines(rng, n, rate, kind)

                    def sampled(m: int) -> IntervalAt:
                        moments = ratio_moments(change[:m], weight[:m])
                        return lambda c: moments.interval(1.0, c)

                    return sampled

                yield Case("cer", kind, rate, n, rate * mean, draw)


def lines(rng: np.random.Generator, n: int, rate: float, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Edits more than the reference's, and characters, of ``n`` lines."""
    characters = np.clip(rng.gamma(6, 2, n).round(), 2, 40)
    hit = np.flatnonzero(rng.random(n) < rate)
    edits, k, whole = np.zeros(n), len(hit), characters[hit]
    edits[hit] = {
        "one": lambda: np.ones(k),
        "several": lambda: np.minimum(rng.geometric(0.5, k), whole),
        "rarely whole": lambda: np.where(rng.random(k) < 0.1, whole, rng.geometric(0.6, k)),
        "both ways": lambda: np.where(rng.random(k) < 0.5, 1.0, -1.0),
        "whole": lambda: whole,
    }[kind]()
    return edits, characters


# average precision

LABELS = tuple("abcde")
FREQUENCY = (0.4, 0.25, 0.15, 0.12, 0.08)  # of the classes

Boxes = tuple[np.ndarray, np.ndarray, np.ndarray]  # xyxy, score, class


@dataclass(frozen=True)
class Picture:
    """True boxes with their classes, and what the reference found."""

    xyxy: np.ndarray
    index: np.ndarray
    found: Boxes

    def matches(self, found: Boxes) -> Matches:
        """Which of these boxes are its objects."""
        xyxy, score, index = found
        detections = Detections(
            xyxy.astype(np.float32), score.astype(np.float32), index.astype(np.int32), LABELS
        )
        return matches(detections, self.xyxy, self.index, np.zeros(len(self.index), bool))


def picture(rng: np.random.Generator) -> Picture:
    """One to eight objects; four of five are found, a little beside, and about two boxes are of nothing."""
    n, wrong = rng.poisson(3) + 1, rng.poisson(2)
    xyxy, others = random_boxes(rng, n), random_boxes(rng, wrong)
    index, seen = rng.choice(5, n, p=FREQUENCY), rng.random(n) < 0.8
    found = np.concatenate([moved(rng, xyxy, 0.06)[seen], others])
    score = np.concatenate([rng.beta(5, 2, n)[seen], rng.beta(2, 5, wrong)])
    classes = np.concatenate([index[seen], rng.choice(5, wrong)])
    return Picture(xyxy.astype(np.float32), index.astype(np.int32), (found, score, classes))


def random_boxes(rng: np.random.Generator, n: int) -> np.ndarray:
    """``(n, 4)`` anywhere in a picture of 640 x 640."""
    corner, size = rng.uniform(0, 500, (n, 2)), rng.uniform(20, 140, (n, 2))
    return np.concatenate([corner, corner + size], axis=1)


def moved(rng: np.random.Generator, xyxy: np.ndarray, by: float) -> np.ndarray:
    """Every side by a normal error of a share of the box's width or height."""
    return xyxy + rng.normal(0, by, xyxy.shape) * np.tile(xyxy[:, 2:] - xyxy[:, :2], (1, 2))


def damaged(rng: np.random.Generator, found: Boxes, rate: float, kind: str) -> Boxes | None:
    """What the candidate found; ``None`` if the same."""
    xyxy, score, index = found
    if kind == "picture lost":
        return (xyxy[:0], score[:0], index[:0]) if rng.random() < rate else None
    hit = rng.random(len(score)) < rate
    if not hit.any():
        return None
    if kind == "lost":
        return xyxy[~hit], score[~hit], index[~hit]
    if kind == "wrong class":
        return xyxy, score, np.where(hit, rng.choice(5, len(index)), index)
    sort = rng.random(len(score))  # mixed: lost, moved, doubled elsewhere
    lost, shaken, doubled = hit & (sort < 0.4), hit & (sort >= 0.4) & (sort < 0.7), hit & (sort >= 0.7)
    xyxy = np.where(shaken[:, None], moved(rng, xyxy, 0.15), xyxy)
    return (
        np.concatenate([xyxy[~lost], xyxy[doubled] + 200]),
        np.concatenate([score[~lost], score[doubled]]),
        np.concatenate([index[~lost], index[doubled]]),
    )


class Population:
    """Matches of one detector in many images, to draw images from."""

    def __init__(self, found: Found) -> None:
        self.found = found
        numbers = np.arange(found.images + 1)
        self._boxes = np.searchsorted(found.image, numbers)
        self._objects = np.searchsorted(found.object_image, numbers)

    @classmethod
    def of(cls, images: Iterable[Matches]) -> Population:
        """Image by image."""
        table = MatchTable()
        for image in images:
            table.add(image)
        return cls(table.found())

    def drawn(self, images: np.ndarray) -> Found:
        """These images, in this order, as often as they are named."""
        boxes, image = _rows(self._boxes, images)
        objects, object_image = _rows(self._objects, images)
        found = self.found
        return Found(
            images=len(images),
            image=image,
            index=found.index[boxes],
            score=found.score[boxes],
            hit=found.hit[boxes],
            ignored=found.ignored[boxes],
            object_image=object_image,
            object_index=found.object_index[objects],
        )


def _rows(starts: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    counts = starts[images + 1] - starts[images]
    within = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    return np.repeat(starts[images], counts) + within, np.repeat(np.arange(len(images)), counts)


def ap_cases(sizes: tuple[int, ...], rates: tuple[float, ...], population: int, seed: int) -> Iterator[Case]:
    """Boxes lost, of a wrong class, lost or moved or doubled, or all of a picture lost."""
    rng = np.random.default_rng(seed)
    pictures = [picture(rng) for _ in range(population)]
    whole = [one.matches(one.found) for one in pictures]
    reference = Population.of(whole)
    ap = average_precision(reference.found).ap
    for kind in ("lost", "wrong class", "mixed", "picture lost"):
        for rate in rates:
            own = np.random.default_rng([seed, round(rate * 1e6)])
            other = [damaged(own, one.found, rate, kind) for one in pictures]
            candidate = Population.of(
                same if boxes is None else one.matches(boxes)
                for one, boxes, same in zip(pictures, other, whole, strict=True)
            )
            drop = ap - average_precision(candidate.found).ap
            for n in sizes:

                def draw(rng: np.random.Generator, n: int = n, candidate: Population = candidate) -> Sampled:
                    images = rng.integers(0, population, n)

                    def sampled(m: int) -> IntervalAt:
                        sides = [side.drawn(images[:m]) for side in (reference, candidate)]
                        found = ap_drop(*sides, np.arange(m))
                        return lambda c: found.interval(1.0, c)

                    return sampled

                yield Case("ap", kind, rate, n, drop, draw)


# the table

METRICS = ("top1", "disagreement", "cer", "ap")
HEADER = (
    "metric        damage         flips       n   reps   drop/points   above    below   "
    "passes  looking   samples used"
)


def cases(
    metric: str, sizes: tuple[int, ...], rates: tuple[float, ...], population: int, seed: int
) -> Iterator[Case]:
    """All cases of one metric."""
    if metric == "ap":
        yield from ap_cases(sizes, rates, population, seed)
    else:
        made = {"top1": top1_cases, "disagreement": disagreement_cases, "cer": cer_cases}
        yield from made[metric](sizes, rates)


def row(case: Case, repetitions: int, found: Counts) -> str:
    """One line of the table."""
    return (
        f"{case.metric:13} {case.kind:13} {case.rate:6.1%} {case.n:7,} {repetitions:6,} "
        f"{100 * case.drop:13.3f} {found.above:7.1%} {found.below:8.1%} {found.passed:8.1%} "
        f"{found.passed_looking:8.1%} {found.used:14.0%}{'' if found.holds else '   MISSED'}"
    )


def main(argv: list[str] | None = None) -> int:
    """Runs all cases; 1 if one misses a bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--ap-repetitions", type=int, default=200)
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=METRICS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    parser.add_argument("--ap-rates", nargs="+", type=float, default=(0.005, 0.02, 0.1))
    parser.add_argument(
        "--population", type=int, default=20_000, help="images that detections are drawn from"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    print(f"seed {options.seed}, {LOOKS} looks, numpy {np.__version__}, {platform.machine()}")
    print("above, below: true drop beyond that end of the 90 % interval, bar", f"{MOST_MISSED:.1%}")
    print("passes, looking: false passes at one look and at several, bar", f"{MOST_FALSE_PASSES:.1%}")
    print(HEADER)
    started, done = time.monotonic(), []
    for metric in options.metrics:
        repetitions = options.ap_repetitions if metric == "ap" else options.repetitions
        rates = options.ap_rates if metric == "ap" else options.rates
        for case in cases(metric, tuple(options.sizes), tuple(rates), options.population, options.seed):
            rng = np.random.default_rng([options.seed, case.n, round(case.rate * 1e6)])
            done.append((case, repetitions, simulate(case, repetitions, rng)))
            print(row(*done[-1]), flush=True)
    print()
    for metric in dict.fromkeys(case.metric for case, _, _ in done):
        for what in ("above", "below", "passed", "passed_looking"):
            one = max((d for d in done if d[0].metric == metric), key=lambda d: getattr(d[2], what))
            print(f"worst {what:15}", row(*one))
    missed = sum(not found.holds for _, _, found in done)
    print(f"{len(done)} cases, {missed} missed a bar, {time.monotonic() - started:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
