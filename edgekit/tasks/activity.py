"""Voice activity: one graph, called window after window, that says where someone speaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.bundle.manifest import ActivityHead, SoundInput, Variant
from edgekit.engines.protocol import Engine, EngineOptions
from edgekit.errors import BundleError
from edgekit.processing.sounds import to_sound
from edgekit.processing.speech import speech_segments
from edgekit.processing.windows import windows
from edgekit.tasks.carry import Carry
from edgekit.tasks.single import SingleGraph
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Content, Kind, VoiceActivity


class Activity(SingleGraph[ActivityHead]):
    """A loaded voice activity detector; see :class:`edgekit.tasks.protocol.Task`."""

    name = "activity"
    accepts: Kind = "sound"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        super().__init__(bundle_name, variant, folder, engine, options, ActivityHead)
        spec = self._model.input
        if not isinstance(spec, SoundInput) or spec.window_samples is None:
            raise BundleError(f"variant {variant.name}: activity expects a sound in windows of fixed length")
        self._input, self._window = spec, spec.window_samples
        self._carry = Carry(self._session, spec.carried)

    def __call__(self, given: Content | Array | Path, trace: Trace | None = None) -> VoiceActivity:
        """Where speech is in one sound; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            sound = to_sound(given)
        state, found = self._carry.start(), []
        for tensor in trace.each("pre", windows(sound, self._input)):
            outputs = self._run(trace, {self._input.tensor: tensor, **state}, self._carry.outputs)
            state = self._carry.on(outputs)
            found.append(outputs[self._head.tensor].reshape(-1))
            if not 1 <= len(found[-1]) <= self._window or len(found[-1]) != len(found[0]):
                what = f"{len(found[-1])} scores for {self._window} samples, {len(found[0])} for those before"
                raise BundleError(
                    f"{self._head.tensor}: expected a score for each frame of a window, got {what}"
                )
        with trace.stage("post"):
            return self._result(np.concatenate(found).astype(np.float32), len(found[0]), sound.seconds)

    def _result(self, scores: Array, frames: int, seconds: float) -> VoiceActivity:
        """``frames`` is how many a window has."""
        rate, head = self._input.rate_hz, self._head
        step = self._window // frames
        segments = speech_segments(scores, step, round(seconds * rate), rate, head)
        return VoiceActivity(
            scores=scores,
            step_s=step / rate,
            segments_s=np.array(segments, np.float32).reshape(-1, 2) / np.float32(rate),
            threshold=head.threshold,
        )
