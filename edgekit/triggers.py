"""When a model beside the loop is asked: pure policy over results, thumbnails and times that are passed in.

A rule is written as ``person>0.5``, ``any>0.6``, ``text~total``, ``scene>0.1``, or several of them with ``&`` between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from edgekit.errors import UsageError
from edgekit.processing.thumbnail import Thumbnail
from edgekit.types import Array, Classification, Detections, Result, TextRegions

ANY, TEXT, SCENE = "any", "text", "scene"
"""Names of a rule that are no class: the best class, lines that were read, how much the picture has changed."""

SLACK = 0.8
"""A rule that holds goes on holding down to this share of its scores: those of a thing that stays tremble."""

RELEASE_NS = 1_000_000_000
"""How long a rule must have stopped to hold before it can begin again: detectors miss a thing for a frame or two."""

DEFAULT_SCENE = 0.1
"""Of the rule where nobody gives one: a tenth of the picture has changed."""

DEFAULT_COOLDOWN_NS = 2_000_000_000

_ABOVE = re.compile(r"(?P<name>[^<>=~]*[^<>=~\s])\s*(?:>\s*(?P<score>[0-9]*\.?[0-9]+))?\Z")
_HOLDS = re.compile(rf"{TEXT}\s*~\s*(?P<part>\S.*)\Z")


class Match(NamedTuple):
    """What fulfils a condition.

    Attributes:
        why: for a person.
        label: of the class; the line that was read; empty where it is neither.
        box: ``(4,)`` float32 xyxy in pixels of the picture, where there is one.
    """

    why: str
    label: str = ""
    box: Array | None = None


@dataclass(frozen=True, slots=True)
class Above:
    """A class has more than a score, or a line that was read.

    Attributes:
        label: the class as the bundle names it, ``any`` for the best one, ``text`` for lines.
        score: 0 to 1.
    """

    label: str
    score: float

    def match(self, result: Result, slack: float) -> Match | None:
        """The best of what fulfils it."""
        least = self.score * slack
        if isinstance(result, Classification):
            for entry in result.top(1 if self.label == ANY else len(result.labels)):
                if self.label in (ANY, entry.label):
                    return (
                        Match(f"{entry.label} {entry.score:.2f}", entry.label)
                        if entry.score > least
                        else None
                    )
        if isinstance(result, Detections):
            fits = result.score > np.float32(least)
            if self.label != ANY:
                fits &= np.array([label == self.label for label in result.label], bool)
            if fits.any():
                best = int(np.argmax(np.where(fits, result.score, -1)))
                label = result.label[best]
                return Match(f"{label} {result.score[best]:.2f}", label, result.xyxy[best])
        if isinstance(result, TextRegions) and self.label in (ANY, TEXT) and len(result):
            best = int(np.argmax(result.scores))
            return _line(result, best) if result.scores[best] > least else None
        return None


@dataclass(frozen=True, slots=True)
class Holds:
    """A line that was read holds a text, in capitals or not."""

    part: str

    def match(self, result: Result, slack: float) -> Match | None:
        """The first such line; of a result that is one text, all of it."""
        if isinstance(result, TextRegions):
            for index, line in enumerate(result.texts):
                if self.part.casefold() in line.casefold():
                    return _line(result, index)
        return None


def _line(result: TextRegions, index: int) -> Match:
    quad = result.quads[index]
    box = np.concatenate([quad.min(axis=0), quad.max(axis=0)])
    return Match(f"text {result.texts[index]!r}", result.texts[index], box)


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions that must all hold.

    Attributes:
        conditions: on the result; none of them: at all times.
        scene: least share of the picture that has changed since it was asked about last; None: it need not.
    """

    conditions: tuple[Above | Holds, ...] = ()
    scene: float | None = None

    @property
    def names_class(self) -> bool:
        """Whether what fulfils it has a label."""
        return bool(self.conditions)

    def match(self, result: Result, slack: float) -> Match | None:
        """What fulfils the conditions: of the first one label and box, of all why."""
        found = [condition.match(result, slack) for condition in self.conditions]
        matches = [one for one in found if one is not None]
        if len(matches) < len(found):
            return None
        if not matches:
            return Match("")
        return matches[0]._replace(why=" & ".join(one.why for one in matches))


def parse_rule(text: str) -> Rule:
    """A rule as it is written.

    Raises:
        UsageError: it cannot be understood.
    """
    conditions: list[Above | Holds] = []
    scene: float | None = None
    for part in text.split("&"):
        stripped = part.strip()
        if held := _HOLDS.match(stripped):
            conditions.append(Holds(held["part"]))
            continue
        above = _ABOVE.match(stripped)
        if above is None:
            raise UsageError(
                f"rule {text!r}: got {stripped!r}",
                "write person>0.5, any>0.6, text~total, scene>0.1, or several with & between",
            )
        name, score = above["name"], None if above["score"] is None else float(above["score"])
        if score is not None and score > 1:
            raise UsageError(f"rule {text!r}: expected a share from 0 to 1, got {above['score']}")
        if name == SCENE:
            scene = DEFAULT_SCENE if score is None else score
        else:
            conditions.append(Above(name, 0.5 if score is None else score))
    return Rule(tuple(conditions), scene)


def check_rules(rules: Sequence[Rule], labels: Collection[str], reads: bool) -> tuple[Rule, ...]:
    """The rules with classes written as the bundle writes them.

    A class may be written in small letters, or as one of several names that commas part in the bundle's.

    Args:
        rules: as they were parsed.
        labels: of the bundle that gates; none if it has no classes.
        reads: whether that bundle reads text.

    Raises:
        UsageError: a class that the bundle does not know, or a text where nothing is read.
    """
    known = {name.strip().casefold(): label for label in labels for name in label.split(",")}
    known |= {label.casefold(): label for label in labels}

    def checked(condition: Above | Holds) -> Above | Holds:
        if isinstance(condition, Holds) or (condition.label == TEXT and TEXT not in known):
            if not reads:
                raise UsageError(f"rule {TEXT}: the bundle reads no text", "name an ocr bundle")
            return condition
        if condition.label == ANY and (labels or reads):
            return condition
        if condition.label.casefold() not in known:
            some = ", ".join(sorted(labels)[:12]) + (", …" if len(labels) > 12 else "")
            raise UsageError(
                f"rule: the bundle has no class {condition.label!r}",
                f"it has {some}" if labels else f"it has no classes: use {SCENE}, or --every",
            )
        return Above(known[condition.label.casefold()], condition.score)

    return tuple(Rule(tuple(map(checked, rule.conditions)), rule.scene) for rule in rules)


@dataclass(slots=True)
class _Standing:
    """Of a rule: whether it holds, when it held last, and whether its beginning is still to be asked about."""

    holds: bool = False
    last_ns: int = 0
    fresh: bool = True


@dataclass(slots=True)
class Triggers:
    """Decides frame by frame.

    A rule asks when it begins to hold, not on every frame on which it does; it begins again when it has not held for
    a second, its scores taken with some slack. A rule of the scene asks whenever enough has changed since the last
    question. What happens during the cool-down is asked about after it, if it still holds then.

    Attributes:
        rules: any of them asks.
        every_ns: while a rule's conditions on the result hold, asks again after so long; None: does not.
        cooldown_ns: least time between two questions.
    """

    rules: Sequence[Rule]
    every_ns: int | None = None
    cooldown_ns: int = DEFAULT_COOLDOWN_NS
    _standings: list[_Standing] = field(init=False)
    _asked_ns: int | None = field(init=False, default=None)
    _asked: Thumbnail | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._standings = [_Standing() for _ in self.rules]

    def decide(self, result: Result, look: Callable[[], Thumbnail], now_ns: int) -> Match | None:
        """Whether to ask about a frame, and why.

        Args:
            result: of the model in the loop.
            look: gives the frame's thumbnail; called only where a rule needs it.
            now_ns: when the frame arrived; never less than before.
        """
        since_ns = None if self._asked_ns is None else now_ns - self._asked_ns
        cooling = since_ns is not None and since_ns < self.cooldown_ns
        again = self.every_ns is not None and since_ns is not None and since_ns >= self.every_ns
        found: Match | None = None
        small: Thumbnail | None = None
        for rule, standing in zip(self.rules, self._standings, strict=True):
            match = _update(rule, standing, result, now_ns)
            if match is None or cooling:
                continue
            if rule.scene is not None and small is None:
                small = look()
            why = self._reason(rule, standing, match, small, again)
            standing.fresh = standing.fresh and why is None
            found = found or (None if why is None else match._replace(why=why))
        if found is not None:
            self._asked_ns = now_ns
            if any(rule.scene is not None for rule in self.rules):
                self._asked = small or look()
        return found

    def _reason(
        self, rule: Rule, standing: _Standing, match: Match, small: Thumbnail | None, again: bool
    ) -> str | None:
        """Why a rule whose conditions on the result hold asks now; None where it does not."""
        if rule.scene is not None and small is not None:
            share = 1.0 if self._asked is None else small.changed(self._asked)
            if share > rule.scene:
                return " & ".join(filter(None, (match.why, f"scene {share:.2f}")))
        elif standing.fresh:
            return match.why or "start"
        return (match.why or "interval") if again else None


def _update(rule: Rule, standing: _Standing, result: Result, now_ns: int) -> Match | None:
    """Takes a frame into a rule's standing; what fulfils its conditions on the result now."""
    match = rule.match(result, SLACK if standing.holds else 1.0)
    if match is not None:
        standing.holds, standing.last_ns = True, now_ns
    elif standing.holds and now_ns - standing.last_ns >= RELEASE_NS:
        standing.holds, standing.fresh = False, True
    return match
