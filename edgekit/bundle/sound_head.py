"""How the output of a graph that hears becomes stretches of speech."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

from edgekit.bundle.fields import Line, Share, Strict

Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=60_000)]


class ActivityHead(Strict, frozen=True, tag="activity_head", tag_field="op"):
    """Speech or none, frame by frame; the defaults are those of silero-vad's ``get_speech_timestamps``.

    Attributes:
        tensor: probability of speech in each frame of the window.
        threshold: speech begins with a frame from here on.
        end_threshold: it ends with the first of those below, if none from ``threshold`` on follows soon.
        min_silence_ms: how soon.
        min_speech_ms: stretches that are no longer are left out.
        pad_ms: what is then added at either end.
    """

    tensor: Line
    threshold: Share = 0.5
    end_threshold: Share = 0.35
    min_silence_ms: Milliseconds = 100
    min_speech_ms: Milliseconds = 250
    pad_ms: Milliseconds = 30
