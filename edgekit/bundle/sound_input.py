"""How a sound becomes a graph's input: rate, windows, features, and what is carried from window to window."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from edgekit.bundle.fields import Line, Strict

Samples: TypeAlias = Annotated[int, Meta(ge=1, le=2**26)]
Rate: TypeAlias = Annotated[int, Meta(ge=1000, le=768_000)]


class LogMel(Strict, frozen=True, tag="log_mel", tag_field="op"):
    """Whisper's logarithmic mel spectrogram (arXiv 2212.04356, section 2.2), ``(1, mels, frames)``.

    Attributes:
        mels: bands, evenly spread on Slaney's mel scale from 0 Hz to half the rate, each of the same area.
        window: samples of one Fourier transform, weighted by a periodic Hann window.
        hop: samples from one frame to the next.
    """

    mels: Annotated[int, Meta(ge=1, le=512)]
    window: Annotated[int, Meta(ge=2, le=65_536)] = 400
    hop: Annotated[int, Meta(ge=16, le=65_536)] = 160


class Standardize(Strict, frozen=True, tag="standardize", tag_field="op"):
    """Mean 0 and variance 1 over the window, ``(1, samples)``: ``(x - mean) / sqrt(variance + epsilon)``."""

    epsilon: Annotated[float, Meta(gt=0, le=1)] = 1e-7


class Carried(Strict, frozen=True):
    """What one call gives and the next one takes: an output of the graph, and the input of the same shape and dtype."""

    input: Line
    output: Line


class SoundInput(Strict, frozen=True, tag="sound", tag_field="kind"):
    """How a sound becomes the graph's input, float32.

    It is brought to ``rate_hz``, then cut into windows, and the features of each are one call's input. Without
    ``features`` it is the samples themselves, ``(1, samples)``.

    Attributes:
        window_samples: length of a window; ``None`` takes the whole sound as one.
        pad: zeros are put behind the last window: up to ``window_samples``, or up to ``min_samples``.
        min_samples: of a window, where shorter ones are of no use to the graph.
        context_samples: samples from before the window that are put in front of it, zeros before the first.
        carried: from one window's call to the next; zeros for the first.
    """

    tensor: Line
    rate_hz: Rate
    features: LogMel | Standardize | None = None
    window_samples: Samples | None = None
    pad: Literal["window", "least"] = "window"
    min_samples: Samples = 1
    context_samples: Annotated[int, Meta(ge=0, le=65_536)] = 0
    carried: Annotated[tuple[Carried, ...], Meta(max_length=256)] = ()
