"""Where the greedy answers of two language models part."""

from __future__ import annotations

from collections import Counter

import numpy as np

from edgekit.evaluation.measure import in_points, in_unit
from edgekit.evaluation.outcome import Measure
from edgekit.evaluation.tally import Tally, share_interval
from edgekit.types import TokenScores

_PARTED = "share of texts behind whose beginning both greedily go on with other tokens, of the first {most}"
_SAME = (
    "equal tokens before the first that differs where both greedily go on behind a text's beginning, {which} over "
    "texts; {most} where none differs"
)
_QUARTILES = (("lower quartile", "p25", 0.25), ("median", "p50", 0.5), ("upper quartile", "p75", 0.75))


class Parting:
    """First tokens that differ. Memory grows with the number of sources."""

    def __init__(self) -> None:
        self._parted = Tally()
        self._same: Counter[int] = Counter()
        self._longest = 0
        self._whole = True  # every text had answers

    def add(self, cluster: str, reference: TokenScores, candidate: TokenScores) -> None:
        """Adds a text with the answers of both."""
        if not reference.answer and not candidate.answer:
            self._whole = False
            return
        same = common(reference.answer, candidate.answer)
        longest = max(len(reference.answer), len(candidate.answer))
        parted = same < longest
        self._longest = max(self._longest, longest)
        self._parted.add(cluster, parted)
        self._same[same if parted else -1] += 1

    def measures(self) -> tuple[Measure, ...]:
        """Share that parts, and quartiles of the place; nothing unless every text has answers."""
        if not self._whole or not self._parted.n:
            return ()
        most = self._longest
        share = self._parted.total / self._parted.n
        places = np.sort([most if same < 0 else same for same in self._same.elements()])
        told = [
            in_points(
                "greedy_parted", _PARTED.format(most=most), None, None, share, share_interval(self._parted)
            )
        ]
        for which, name, quantile in _QUARTILES:
            place = float(np.quantile(places, quantile, method="inverted_cdf"))
            meaning = _SAME.format(which=which, most=most)
            told.append(in_unit(f"greedy_same_{name}", meaning, "tokens", None, None, place, None))
        return tuple(told)


def common(first: tuple[int, ...] | str, second: tuple[int, ...] | str) -> int:
    """Length of the beginning that both share."""
    shorter = min(len(first), len(second))
    return next((i for i in range(shorter) if first[i] != second[i]), shorter)
