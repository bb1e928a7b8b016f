"""An answer of the model beside the loop, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.answerer import Request, Reused
from edgekit.processing.region import Region
from edgekit.types import Generation, Pace


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """An answer, and what it took.

    Attributes:
        request: what it is about.
        question: what the model was asked.
        region: the part of the frame that it saw; None of a text.
        reused: what was not made anew.
        difference: from the picture that was reused.
        generation: the answer.
        values: of the fields, where there were some.
        first_age_ns: how old the frame was when the first piece was known.
        age_ns: the same of the whole answer.
    """

    request: Request
    question: str
    region: Region | None
    reused: Reused | None
    difference: float | None
    generation: Generation
    values: dict[str, Any] | None
    first_age_ns: int
    age_ns: int

    def as_json(self) -> dict[str, Any]:
        """A line of ``--answers``."""
        return {
            "number": self.request.number,
            "frame": self.request.frame.index,
            **({"name": self.request.frame.name} if self.request.frame.name else {}),
            "trigger": self.request.match.why,
            "question": self.question,
            "answer": self.generation.text,
            **({} if self.values is None else {"fields": self.values}),
            "finish": self.generation.finish,
            "first_token_age_ms": round(self.first_age_ns / 1e6, 3),
            "age_ms": round(self.age_ns / 1e6, 3),
            "crop": None if self.region is None else list(self.region),
            "reused": self.reused,
            "difference": None if self.difference is None else round(self.difference, 4),
            **self._times(self.generation.pace),
        }

    def _times(self, pace: Pace | None) -> dict[str, Any]:
        if pace is None or self.reused == "answer":
            return {"encode_ms": 0.0, "prefill_ms": 0.0, "decode_ms": 0.0}
        times = {"encode_ms": pace.encode_ms, "prefill_ms": pace.prefill_ms, "decode_ms": pace.decode_ms}
        return {name: round(ms, 3) for name, ms in times.items()}
