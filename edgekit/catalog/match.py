"""How a model meets a need: what speaks for it, what rules it out, and what it is not quite made for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, Literal

from edgekit.bundle.card import Card
from edgekit.catalog.abilities import how, modality_of, one_line_only, refusal, told, turns_lines
from edgekit.catalog.devices import DEVICES, Device
from edgekit.catalog.estimate import WITHIN
from edgekit.catalog.fits import cannot_fit
from edgekit.catalog.language_words import language_name, speaks
from edgekit.catalog.need import Need, Want
from edgekit.catalog.nouns import singular
from edgekit.catalog.placement import ANSWER_TOKENS, Placement, place, timed_by_token
from edgekit.catalog.reasons import Reason, reasons, told_ms
from edgekit.catalog.subject_words import canon, covered, words_of
from edgekit.catalog.task_words import KINDS

Field = Literal["task", "subject", "language", "size", "latency", "licence", "setting", "form", "parameters"]
_CLASSED: Final = frozenset({"detect", "classify", "presence", "count", "classify_text"})
_SPOKEN: Final = frozenset(
    [
        "read",
        "ask",
        "chat",
        "generate",
        "translate",
        "summarise",
        "extract",
        "classify_text",
        "entail",
        "zero_shot",
        "fill_mask",
        "embed",
        "transcribe",
    ]
)
_GENERAL = re.compile(r"\b(?:general|everyday)\b", re.IGNORECASE)
_LABELS: Final = frozenset(["sentiment", "topic", "spam", "intent", "toxicity", "phishing", "emotion"])
_ODD: Final = frozenset(
    [
        "whiteboard",
        "blackboard",
        "drawing",
        "cartoon",
        "anime",
        "sketch",
        "painting",
        "satellite",
        "aerial",
        "thermal",
        "infrared",
        "microscope",
        "x-ray",
        "mri",
    ]
)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a model does not meet a need.

    Attributes:
        field: of what.
        said: with the evidence.
        weight: how far it is off.
        hard: rules the model out.
        far: the model does another thing altogether, so that it is no near miss either.
    """

    field: Field
    said: str
    weight: float
    hard: bool = True
    far: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A model beside a need.

    Attributes:
        mismatches: none where it fits altogether.
        reasons: what speaks for it.
        made: it is made for at least one of the things wanted.
        penalty: orders those that fit.
    """

    name: str
    card: Card
    placement: Placement
    mismatches: tuple[Mismatch, ...]
    reasons: tuple[Reason, ...]
    made: bool
    penalty: float

    @property
    def fits(self) -> bool:
        """Nothing rules it out."""
        return not any(one.hard for one in self.mismatches)

    @property
    def related(self) -> bool:
        """It does what is wanted, to what is wanted, or its card names just that as what it cannot do."""
        return not any(one.far for one in self.mismatches)

    @property
    def distance(self) -> float:
        """How far off it is in all."""
        return sum(one.weight for one in self.mismatches) + self.penalty


def match(name: str, card: Card, need: Need) -> Match:
    """Holds one card against a need."""
    device = DEVICES.get(need.device or "")
    limit = _limit_bytes(need, device)
    placed = place(card, limit, device, need.prefer)
    found = [*_size(card, placed, limit), *_latency(card, need, placed)]
    found += [*_rights(card, need), *_spoken(card, need), *_form(card, need)]
    made, penalty = not need.wants, 0.0
    for want in need.wants:
        done = how(card, want)
        made = made or done == "made"
        penalty += {"made": 0.0, "asked": 2.0, "no": 0.0}[done]
        found += _task(card, want, done)
        if done == "made":
            found += _subjects(card, want, need)
            penalty += _unused(card, want)
            penalty += 1.0 if card.general and want.kind == "classify_text" else 0.0
    if len(need.wants) > 1 and any(how(card, want) != "no" for want in need.wants):
        found = [_soft(one) if one.field == "task" else one for one in found]
    penalty += (0.5 if turns_lines(card) else 0) + (1.0 if need.one_line and not one_line_only(card) else 0)
    return Match(name, card, placed, tuple(found), reasons(card, need, placed, limit), made, penalty)


def _unused(card: Card, want: Want) -> float:
    """How much of what a model knows is beside the point: of two that fit, the one that does only this comes first."""
    if want.kind not in _CLASSED or not want.subjects or not card.subjects or want.kind == "classify_text":
        return 0.0
    used = sum(bool(covered([one], want.subjects)[0]) for one in card.subjects)
    return 0.4 * (1 - used / len(card.subjects))


def _soft(one: Mismatch) -> Mismatch:
    return Mismatch(one.field, one.said, 3.0, hard=False)


def _limit_bytes(need: Need, device: Device | None) -> int | None:
    """The least of what the model may weigh and what the machine holds."""
    limits = (need.max_bytes, need.memory_bytes, device.memory_bytes if device else None)
    return min((one for one in limits if one is not None), default=None)


def _size(card: Card, placed: Placement, limit: int | None) -> list[Mismatch]:
    if limit is None or placed.bytes <= limit:
        return []
    least = f"{placed.bytes / 1e6:,.4g} MB at {placed.precision}, over {limit / 1e6:,.4g} MB"
    said = f"size: {cannot_fit(card.parameters, limit) or least}"
    return [Mismatch("size", said, 5 + 5 * math.log2(placed.bytes / limit))]


def _latency(card: Card, need: Need, placed: Placement) -> list[Mismatch]:
    """An estimate above a limit rules a model out only where the estimate's own error cannot explain it."""
    limits = [] if need.max_ms is None else [need.max_ms]
    if need.token_ms is not None and timed_by_token(card):
        limits.append(need.token_ms * ANSWER_TOKENS)
    if placed.ms is None or not limits or placed.ms <= min(limits):
        return []
    limit = min(limits)
    if placed.kind == "estimated" and placed.ms <= WITHIN * limit:
        said = (
            f"latency: estimated {told_ms(placed.ms)}, within the estimate's factor of {WITHIN:g} of {told_ms(limit)}: "
            "measure it with edgekit bench"
        )
        return [Mismatch("latency", said, 1, hard=False)]
    said = f"latency: {placed.kind} {told_ms(placed.ms)} on {need.device} for {placed.what}, asked for {told_ms(limit)}"
    return [Mismatch("latency", said, 5 + math.log2(placed.ms / limit))]


def _rights(card: Card, need: Need) -> list[Mismatch]:
    why = need.licence.refusal(card) if need.licence else ""
    return [Mismatch("licence", f"licence: {why}", 10)] if why else []


def _spoken(card: Card, need: Need) -> list[Mismatch]:
    if not card.languages or not any(want.kind in _SPOKEN for want in need.wants):
        return []
    missing = [tag for tag in need.languages if not speaks(card.languages, tag)]
    if missing:
        names = ", ".join(map(language_name, missing))
        known = ", ".join(map(language_name, card.languages))
        said = f"asked for {names}: {card.badge or 'its languages'} ({known})"
        return [Mismatch("language", said, 15)]
    if not need.languages and not speaks(card.languages, "en"):
        return [Mismatch("language", f"no language was named: {card.badge}", 4, hard=False)]
    return []


def _form(card: Card, need: Need) -> list[Mismatch]:
    found = []
    if need.parameters and abs(math.log(card.parameters / need.parameters)) > math.log(1.6):
        said = f"asked for about {need.parameters:,} parameters: it has {card.parameters:,}"
        found.append(Mismatch("parameters", said, 10))
    if need.not_autoregressive and "decoder" in card.architecture:
        found.append(Mismatch("form", "it makes text token by token", 10))
    if one_line_only(card) and not need.one_line:
        found.append(Mismatch("form", "it reads one line that is cut out already", 5))
    return found


def _task(card: Card, want: Want, done: str) -> list[Mismatch]:
    line = refusal(card, want.kind)
    asked = f"asked for {want.told()}"
    if done == "no":
        kind = KINDS[want.kind]
        near = 20 if modality_of(card) == kind.modality else 100
        why = f"it cannot {line}" if line else f"this is {card.badge or card.title}"
        shared = covered(want.subjects, card.subjects)[0]
        weight = near - (5 if line else 0) - (5 if shared else 0)
        about = shared or not want.subjects or not card.subjects or not kind.tasks
        return [Mismatch("task", f"{asked}: {why}", weight, far=not (line and about and near == 20))]
    if done == "asked":
        how_said = "it answers in words" + (", without boxes" if want.kind == "detect" else "")
        how_said = f"it cannot {line}" if line else how_said
        return [Mismatch("task", f"{asked}: {how_said}", 2, hard=False)]
    return [Mismatch("task", f"{asked}: it cannot {line}", 2, hard=False)] if line else []


def _subjects(card: Card, want: Want, need: Need) -> list[Mismatch]:
    found = _refused(card, need.settings, want)
    only = card.badge or card.domain
    narrow = not card.general and not _GENERAL.search(card.domain)
    classed = want.kind in _CLASSED or (want.kind == "ask" and not card.general)
    if classed and need.own_classes and not card.general:
        found.append(
            Mismatch(
                "subject",
                f"asked for classes of your own: it knows {only}; fine-tune it",
                15 if narrow else 6,
                far=narrow,
            )
        )
        return found
    if not classed or card.general:
        return found
    if not want.subjects:
        if narrow and want.kind != "classify_text":
            said = f"asked for {KINDS[want.kind].told}: this knows {only}"
            found.append(Mismatch("subject", said, 15, far=True))
        return found
    if want.kind == "classify_text":
        return found + _texts(card, want)
    yes, no = covered(want.subjects, (*card.subjects, *_named(card)))
    if no:
        said = f"asked for {want.told()}: this knows {only}, not {', '.join(no)}"
        named = any(one.hard for one in found)  # a card that says "no stamps" is about them
        found.append(Mismatch("subject", said, 3 if yes else 12, hard=not yes, far=not yes and not named))
    return found


def _named(card: Card) -> list[str]:
    """What a title names, and data sets whose classes it has."""
    sets = [word for word in ("imagenet", "coco") if word in card.domain.lower()]
    return [*sets, *(word for word in words_of(card.title))]


def _texts(card: Card, want: Want) -> list[Mismatch]:
    """Classes of texts, and the texts: a model of tweets knows no letters."""
    known = words_of(f"{card.domain} {' '.join(card.subjects)}")
    labels = [one for one in want.subjects if canon(one) in _LABELS]
    if any(canon(one) not in known for one in labels):
        return [Mismatch("subject", f"asked for {want.told()}: this knows {card.badge}", 12, far=True)]
    texts = [one for one in want.subjects if one not in labels]
    if texts and not any(set(canon(one).split()) & known for one in texts):
        return [Mismatch("setting", f"asked for {', '.join(texts)}: made for {card.domain}", 3, hard=False)]
    return [] if texts else [Mismatch("setting", f"made for {card.domain}", 2, hard=False)]


def _refused(card: Card, settings: tuple[str, ...], want: Want) -> list[Mismatch]:
    """Lines of a card that say it cannot do what the nouns name; and pictures of another kind than it was made for.

    Where something is found is no other word for what a line names: "children" are none of "a person to look".
    """
    able = words_of(told(card))
    about = {word for noun in want.subjects for word in canon(noun).split()} - able
    around = {word for noun in settings for word in noun.split() if canon(word) not in able}
    for line in card.cannot:
        literal = {singular(word.strip(".,;:()'\"")) for word in line.lower().split()}
        if shared := (about & words_of(line)) | (around & literal):
            hard = any(canon(one).split()[-1] in shared for one in want.subjects)
            return [Mismatch("setting", f"asked for {', '.join(sorted(shared))}: it cannot {line}", 4, hard)]
    if odd := (about | around) & _ODD:
        said = f"asked for {', '.join(sorted(odd))}: made for {card.domain}"
        return [Mismatch("setting", said, 3, hard=False)]
    return []
