"""Lines of a recorded ledger: JSON arrays, the first element says what a line is.

``head`` comes first and once; ``frame`` is one processed frame; ``counts`` tells now and then what became of all
frames that were read, so drops need no line each; ``camera``, ``variant`` and ``answer`` are the loop's events; ``gap``
says how many lines could not be written; ``end`` is the last line of a run that ended by itself. Times are nanoseconds
of the loop's monotonic clock, unless the head says otherwise.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from edgekit.events import CameraState

VERSION = 1
LINE_BYTES = 16_384
"""The longest line that is written or read."""

TEXT_CHARS = 1000

Ns = Annotated[int, Meta(ge=-(2**62), le=2**62)]
"""Below 0 where the clock leapt."""

Count = Annotated[int, Meta(ge=0, le=2**53)]
Text = Annotated[str, Meta(max_length=4000)]
Finite = Annotated[float, Meta(ge=-1e12, le=1e12)]


class Head(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="head"):
    """What ran.

    Attributes:
        version: of this format.
        edgekit: version of the program.
        started_unix_s: when, by the wall clock.
        deadline_ms: limit from arrival to end of sink.
    """

    version: Annotated[int, Meta(ge=1, le=1)]
    edgekit: Text
    started_unix_s: Finite
    bundle: Text
    task: Text
    variant: Text
    engine: Text
    threads: Count
    machine: Text
    source: Text
    source_fps: Finite | None
    deadline_ms: Finite | None


class FrameLine(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="frame"):
    """One processed frame: number, arrival, time by stage, whether it was late, and the variant that ran."""

    index: Count
    arrived_ns: Ns
    capture_ns: Ns
    wait_ns: Ns
    pre_ns: Ns
    infer_ns: Ns
    post_ns: Ns
    sink_ns: Ns
    total_ns: Ns
    missed: bool
    variant: Text


class CountsLine(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="counts"):
    """Frames so far."""

    at_ns: Ns
    read: Count
    processed: Count
    dropped: dict[Text, Count]


class CameraLine(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="camera"):
    """The camera's state became another."""

    at_ns: Ns
    state: CameraState
    detail: Text


class VariantLine(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="variant"):
    """Another variant took over; ``drop`` is its measured accuracy drop in points."""

    at_ns: Ns
    before: Text
    after: Text
    drop: Finite | None
    why: Text


class AnswerLine(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="answer"):
    """An answer was whole; its text is not recorded."""

    at_ns: Ns
    number: Count
    frame_index: Count
    frame_ns: Ns
    chars: Count


class GapLine(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="gap"):
    """So many lines are missing here: the disk was slower than the loop."""

    lines: Count


class EndLine(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="end"):
    """The run ended."""

    at_ns: Ns


Line = Head | FrameLine | CountsLine | CameraLine | VariantLine | AnswerLine | GapLine | EndLine

_DECODER = msgspec.json.Decoder(Line)
_ENCODER = msgspec.json.Encoder()


def encode(line: Line) -> bytes:
    """A line with its end."""
    return _ENCODER.encode(line) + b"\n"


def decode(line: bytes) -> Line:
    """A line without its end.

    Raises:
        msgspec.DecodeError, RecursionError, UnicodeDecodeError: it is none.
    """
    found: Line = _DECODER.decode(line)
    return found


def short(text: str) -> str:
    """A text that fits a line and that UTF-8 can say."""
    return text[:TEXT_CHARS].encode("utf-8", "backslashreplace").decode()[: 4 * TEXT_CHARS]
