"""A need: what a person wants a model to do, where, and within which limits; read from a sentence by tables and rules.

Nothing is learnt and nothing is fetched: a sentence gives the same need everywhere. What the rules do not understand
does not become a wish, so :meth:`Need.told` says what was understood.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from edgekit.catalog.device_words import find_device
from edgekit.catalog.language_words import find_languages, language_name
from edgekit.catalog.licence_words import LicenceWish, find_licence
from edgekit.catalog.nouns import Nouns, find_nouns, modalities_of
from edgekit.catalog.quantities import Quantity, find_quantities
from edgekit.catalog.task_words import IMPLIED, KINDS, Asked, find_tasks, settle
from edgekit.errors import UsageError

Preference = Literal["", "accuracy", "small", "fast", "eco"]

_PREFERRED: Final[tuple[tuple[Preference, str], ...]] = (
    (
        "accuracy",
        r"(?:most|more|very|highly|as|maximally) (?:accurate|precise|exact)(?: as possible)?|(?:with )?(?:the )?(?:best|highest|top|maximum) "
        r"(?:possible )?(?:accuracy|quality|precision|results?|score)|accuracy (?:matters|first|is paramount|at all costs)|best model",
    ),
    ("small", r"(?:as small as possible|smallest|tiniest|lightest|most compact)(?: possible)?(?: model)?"),
    ("eco", r"(?:low|least|less|little|minimal|saves?|saving) (?:energy|power|battery)|energy[- ]efficient|battery[- ](?:powered|friendly|life)|eco(?:-friendly)?"),
    ("fast", r"(?:as fast as possible|fastest|quickest|lowest latency|low[- ]latency)(?: possible)?(?: model)?"),
)  # fmt: skip
_OFFLINE = (
    r"(?:fully |completely |all )?off-?line|(?:without|no) (?:any )?(?:an )?(?:internet|network|cloud|downloads?|connection|wi-?fi)(?: access| connection)?"
    r"|on[- ]device|on[- ]premises?|air[- ]gapped|locally"
)
_NO_LIMIT = r"(?:(?:any|no) size(?: limit)?|(?:size|speed|latency) (?:does not|doesn't|is no|no) (?:matter|object|issue|limit)\w*)"
_REAL_TIME = r"(?:in )?real[- ]time"
_OWN = (
    r"\b(?:my|our|own|custom|user-defined|self-defined)\b(?:[\s-]+[\w-]+){0,3}?[\s-]+(?:categor\w+|class(?:es)?|labels?|kinds|types|products|parts|taxonomy)\b"
    r"|\b(?:labels?|classes|categories) of (?:my|our|their) own\b"
)
_NOT_AUTOREGRESSIVE = r"(?:without|no|non)[- ]?auto-?regress\w+|\bctc\b|(?:without|no) hallucinat\w+"
_ONE_LINE = (
    r"\b(?:one|single|a|individual|cropped|cut[- ]out|already cropped)(?: (?:one|single|cropped|cut[- ]out|already|text|printed))* "
    r"(?:text |word )?lines?\b(?! by)|\bline crops?\b|\bcropped (?:words?|text)\b|\bline recogni\w+"
)
MOST_CHARACTERS: Final = 1000
_FRAME_MS: Final = 1000 / 30


@dataclass(frozen=True, slots=True)
class Want:
    """One thing to do.

    Attributes:
        kind: of :data:`edgekit.catalog.task_words.KINDS`.
        subjects: what it is about, singular: what to find, the classes; empty where nothing in particular.
    """

    kind: str
    subjects: tuple[str, ...] = ()

    def told(self) -> str:
        """In words: what people asked for."""
        what = KINDS[self.kind].told
        of = ": " if what.startswith(("telling", "answering")) else " of "
        return f"{what}{of}{_listed(self.subjects)}" if self.subjects else what


@dataclass(frozen=True, slots=True)
class Need:
    """What a person wants.

    Attributes:
        text: as written.
        wants: what to do; empty where a model is named and nothing else.
        settings: where things are found, singular: ``scanned contract``.
        languages: BCP 47 tags; ``mul`` for several, whichever.
        device: of the catalogue's; ``None`` where none was named.
        max_bytes: of the model.
        memory_bytes: of the machine.
        max_ms: of one input, or of one answer.
        token_ms: of one token of an answer.
        parameters: about so many.
        offline: said so. Everything in the catalogue runs offline; it rules nothing out.
        licence: what it must allow.
        prefer: what decides between models that fit.
        models: names of models that are mentioned, of those there are.
        own_classes: classes that no trained model can know.
        one_line: lines of text that are cut out already.
        not_autoregressive: a model that cannot make up text.
    """

    text: str = ""
    wants: tuple[Want, ...] = ()
    settings: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    device: str | None = None
    max_bytes: int | None = None
    memory_bytes: int | None = None
    max_ms: float | None = None
    token_ms: float | None = None
    parameters: int | None = None
    offline: bool = False
    licence: LicenceWish | None = None
    prefer: Preference = ""
    models: tuple[str, ...] = ()
    own_classes: bool = False
    one_line: bool = False
    not_autoregressive: bool = False

    def told(self) -> str:
        """What was understood, in a line."""
        parts = [want.told() for want in self.wants]
        parts += [f"in {_listed(self.settings)}"] if self.settings else []
        parts += [f"named: {_listed(self.models)}"] if self.models else []
        parts += [_listed([language_name(tag) for tag in self.languages])] if self.languages else []
        parts += [f"on {self.device}"] if self.device else []
        parts += [f"at most {self.max_bytes:,} bytes"] if self.max_bytes is not None else []
        unplaced = "" if self.device else " (no device named: not checked)"
        parts += [f"{self.memory_bytes:,} bytes of memory"] if self.memory_bytes is not None else []
        parts += [f"at most {self.max_ms:g} ms{unplaced}"] if self.max_ms is not None else []
        parts += [f"at most {self.token_ms:g} ms a token{unplaced}"] if self.token_ms is not None else []
        parts += [f"about {self.parameters:,} parameters"] if self.parameters is not None else []
        parts += ["offline"] if self.offline else []
        parts += [self.licence.named or self.licence.use] if self.licence else []
        parts += [f"prefers {self.prefer}"] if self.prefer else []
        parts += ["classes of its own"] if self.own_classes else []
        parts += ["lines that are cut out already"] if self.one_line else []
        parts += ["without autoregression"] if self.not_autoregressive else []
        return "; ".join(parts)


def parse_need(text: str, names: Collection[str] = ()) -> Need:
    """Reads a need.

    Args:
        text: English, a sentence or a few.
        names: models of the catalogue, of which the text may name some.

    Raises:
        UsageError: it is longer than 1,000 characters.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"need: {len(text):,} characters, expected at most {MOST_CHARACTERS:,}", "say it in a sentence"
        )
    rest = _Rest(text)
    models = _models(rest, names)
    licence, spans = find_licence(rest.text)
    rest.drop(spans)
    quantities = find_quantities(rest.text)
    rest.drop([(one.start, one.end) for one in quantities], ",")
    prefer = next((name for name, words in _PREFERRED if rest.has(words)), "")
    rest.has(_NO_LIMIT)
    offline, real_time = rest.has(_OFFLINE), rest.has(_REAL_TIME)
    own, line = _seen(_OWN, rest.text), _seen(_ONE_LINE, rest.text)
    ctc = rest.has(_NOT_AUTOREGRESSIVE)
    device, spans = find_device(rest.text)
    rest.drop(spans, ",")
    languages, spans = find_languages(rest.text)
    rest.drop(spans)
    rest.text = " ".join(rest.text.split())  # rules of tasks are written with single spaces
    tasks = find_tasks(rest.text)
    nouns = find_nouns(rest.text, tasks)
    wants = _wants(tasks, nouns, rest.text)
    max_ms = _least(quantities, "ms")
    return Need(
        text=text,
        wants=wants,
        settings=nouns.settings,
        languages=languages,
        device=device,
        max_bytes=_whole(_least(quantities, "bytes")),
        memory_bytes=_whole(_least(quantities, "memory_bytes")),
        max_ms=_FRAME_MS if max_ms is None and real_time else max_ms,
        token_ms=_least(quantities, "token_ms"),
        parameters=_whole(_least(quantities, "parameters")),
        offline=offline,
        licence=licence,
        prefer=prefer,  # type: ignore[arg-type]
        models=models,
        own_classes=own,
        one_line=line,
        not_autoregressive=ctc,
    )


@dataclass
class _Rest:
    """What of a text is not understood yet."""

    text: str
    taken: list[str] = field(default_factory=list)

    def drop(self, spans: Iterable[tuple[int, int]], mark: str = "") -> None:
        """Blanks what was understood; ``mark`` ends the phrase around it."""
        for start, end in spans:
            self.text = self.text[:start] + mark.ljust(end - start) + self.text[end:]

    def has(self, words: str) -> bool:
        """Whether the text has these words, which are then understood."""
        spans = [m.span() for m in re.finditer(rf"\b(?:{words})(?!\w)", self.text, re.IGNORECASE)]
        self.drop(spans, ",")
        return bool(spans)


def _seen(words: str, text: str) -> bool:
    return re.search(words, text, re.IGNORECASE) is not None


def _models(rest: _Rest, names: Collection[str]) -> tuple[str, ...]:
    """Models whose name, or the beginning of it, the text has: "SmolVLM" names both sizes."""
    found: dict[str, tuple[int, int]] = {}
    for name in names:
        for spelled in _spellings(name):
            match = re.search(rf"(?<![\w-]){spelled}(?![\w])(?:[\s-]+model)?", rest.text, re.IGNORECASE)
            if match and (name not in found or match.end() - match.start() > _length(found[name])):
                found[name] = match.span()
    longest = max((_length(span) for span in found.values()), default=0)
    kept = {name: span for name, span in found.items() if _length(span) == longest}
    rest.drop(kept.values(), ",")
    return tuple(kept)


def _spellings(name: str) -> list[str]:
    """Patterns of a model's name, whole and without its last parts: ``whisper-small.en``, ``whisper-small``, ``whisper``.

    Of ``yolov8n`` and ``smollm2`` also what is before a size's letter and a version: ``yolov8``, ``yolo``, ``smollm``.
    """
    wholes = [name, *(name[: match.start()] for match in re.finditer(r"[-.]", name))]
    shorter = [re.sub(r"(?<=\d)[a-z]$", "", whole) for whole in wholes]
    shorter += [re.sub(r"v?\d+[a-z]?$", "", whole) for whole in wholes if "-" not in whole]
    # A first part that is a plain word ("table", "age", "rapid") names no model by itself.
    proper = [whole for whole in (*wholes, *shorter) if whole == name or _is_proper(whole)]
    return [_loose(whole) for whole in dict.fromkeys(proper)]


_PLAIN = frozenset(["table", "age", "expression", "rapid", "shapes", "nsfw", "yahoo", "twitter", "mlperf"])
_SHORTEST = 4  # "gpt" and "vit" are families


def _is_proper(name: str) -> bool:
    return name not in _PLAIN and len(name) >= _SHORTEST


def _loose(name: str) -> str:
    """A pattern of a name in which dots, dashes and spaces are the same, or absent."""
    return r"[\s._-]*".join(re.escape(part) for part in re.findall(r"[a-z]+|\d+", name))


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def _least(quantities: Iterable[Quantity], kind: str) -> float | None:
    return min((one.value for one in quantities if one.kind == kind), default=None)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


_GENERAL: Final = ("classify", "detect", "presence", "chat", "ask", "classify_text", "generate")
"""Kinds of plain verbs: they say nothing more beside a more special one."""


def _wants(tasks: list[Asked], nouns: Nouns, text: str) -> tuple[Want, ...]:
    """What tasks and nouns come to: each kind once, and no plain verb beside what says more."""
    wants: dict[str, list[str]] = {}
    for task, objects in zip(tasks, nouns.objects, strict=True):
        kind = settle(task.rule, modalities_of(text))
        wants.setdefault(kind, []).extend([*IMPLIED.get(task.rule, ()), *objects])
    special = [kind for kind in wants if kind not in _GENERAL]
    if special:
        modality = KINDS[special[0]].modality
        wants = {
            kind: found
            for kind, found in wants.items()
            if kind in special or (found and (KINDS[kind].modality != modality or kind == "detect"))
        }
    elif any(wants.values()):
        wants = {kind: found for kind, found in wants.items() if found}
    return tuple(Want(kind, tuple(dict.fromkeys(found))) for kind, found in wants.items())


def _listed(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
