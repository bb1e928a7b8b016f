"""Records golden vectors: generated inputs, and what each variant makes of them.

They are made, not taken from the user's data, so that no one's photo ships inside a bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from edgekit.bundle.manifest import Expected, Golden, Variant
from edgekit.processing.wav import write_wav
from edgekit.tasks.generate import Generate
from edgekit.tasks.golden import decision, digest, margin, probe, run_golden
from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Trace
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.types import U8, Content, Frame, Question, Sound
from edgekit_export.data.lines import render_line
from edgekit_export.data.objects import draw_objects
from edgekit_export.data.pages import render_page
from edgekit_export.data.sentences import sentence
from edgekit_export.data.sequences import sequence
from edgekit_export.data.voices import draw_voice
from edgekit_export.sources.tflite_file import AS_IT_IS

INPUTS = 3
CANDIDATES = 12
CANDIDATE_QUESTIONS = 4  # a picture of 512 pixels takes seconds in full precision
SOUND_S = 1.5
ACTIVITY_S = 0.75  # each window is a call, with outputs of its own to remember: one short sound is enough
GOLDEN_SEED = 77  # of rendered text; calibration and evaluation use others
FLOAT_TOLERANCE = 1e-3  # of the largest output: float kernels of other CPUs add in another order
UNDECIDED = frozenset({"detect", "embed"})  # an empty decision says something there, or is all there is
QUESTIONS = (
    "What shape is in the picture?",
    "What color is the shape?",
    "Is there a circle?",
    "Does the picture not contain a rectangle?",
    "Describe this picture.",
)
MIXED_TOLERANCE = 0.25  # the same, where the last bit of a float layer flips a code now and then


@dataclass(frozen=True, slots=True, eq=False)
class GoldenInput:
    """An input of a bundle: its member path, its bytes, and what they decode to, with what is asked about it."""

    path: str
    data: bytes
    content: Content | Question


Drawn = U8 | str | Sound | Question
"""What makes a golden input: a picture is ``(height, width, 3)`` uint8 RGB."""


def golden_inputs(task: Task, draw: Callable[[int], Drawn], n: int = INPUTS) -> list[GoldenInput]:
    """Draws candidates and keeps those on which the reference decides most clearly, each deciding differently.

    Args:
        task: the full-precision variant.
        draw: seed → what makes an input.
        n: how many to keep.
    """
    judged = []
    for seed in range(CANDIDATE_QUESTIONS if isinstance(task, VisionLanguage) else CANDIDATES):
        drawn, trace = draw(seed), Trace()
        result = run_golden(task, Frame(drawn) if isinstance(drawn, np.ndarray) else drawn, trace)
        decided = decision(result)
        if decided or task.name in UNDECIDED:
            judged.append((bool(decided), margin(result, trace.calls) or 0.0, -seed, decided, drawn))
    judged.sort(key=lambda item: item[:3], reverse=True)
    kept: dict[object, Drawn] = {}
    for *_, decided, drawn in judged:
        if len(kept) < (1 if task.name == "activity" else n):
            kept.setdefault(drawn if task.name == "embed" and isinstance(drawn, str) else decided, drawn)
    return [_encode(i, drawn) for i, drawn in enumerate(kept.values())]


def _encode(index: int, drawn: Drawn) -> GoldenInput:
    if isinstance(drawn, str):
        return GoldenInput(f"golden/{index}.txt", drawn.encode(), drawn)
    if isinstance(drawn, Sound):
        path = f"golden/{index}.wav"
        return GoldenInput(path, write_wav(drawn), replace(drawn, name=path))
    if isinstance(drawn, Question):
        picture = _picture(f"golden/{index}.png", drawn.frame.pixels)
        assert isinstance(picture.content, Frame)
        return replace(picture, content=replace(drawn, frame=picture.content))
    return _picture(f"golden/{index}.png", drawn)


def _picture(path: str, picture: U8) -> GoldenInput:
    done, png = cv2.imencode(".png", picture[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise RuntimeError(f"OpenCV could not encode {path}")
    return GoldenInput(path, png.tobytes(), Frame(picture, name=path))


def record(
    task: Task, variant: Variant, inputs: Sequence[GoldenInput], exact: Mapping[str, bool]
) -> tuple[tuple[Golden, ...], dict[str, bytes]]:
    """Runs the inputs through one variant.

    Args:
        task: the variant, loaded.
        variant: its manifest entry.
        inputs: of the bundle.
        exact: role → whether that graph's arithmetic is the same on every CPU, so that its outputs must be
            equal to the bit; false for roles that are not named.

    Returns:
        The manifest's entries, and the members they name, inputs included.
    """
    members = {given.path: given.data for given in inputs}
    entries = []
    for given in inputs:
        trace = Trace()
        result = run_golden(task, given.content, trace)
        expected = []
        for index, (call, name, output) in enumerate((c, *told) for c in trace.calls for told in c.told):
            member = f"{given.path.rpartition('.')[0]}.{variant.name}.{index}.bin"
            members[member] = probe(output).tobytes()
            relative = _relative_tolerance(call.role, exact, variant)
            if isinstance(task, Generate) and relative and variant.precision != "fp32":
                relative = MIXED_TOLERANCE  # what goes into each product is rounded to 8 bits
            tolerance = relative * max(float(np.abs(output).max()), 1e-6)
            expected.append(
                Expected(call.role, name, str(output.dtype), output.shape, digest(output), member, tolerance)  # type: ignore[arg-type]
            )
        asked = given.content.text if isinstance(given.content, Question) else ""
        found = decision(result), margin(result, trace.calls)
        entries.append(Golden(variant.name, given.path, tuple(expected), *found, question=asked))
    return tuple(entries), members


def steady(inputs: Sequence[GoldenInput], entries: Sequence[Golden]) -> list[GoldenInput]:
    """Those that no difference within its tolerance makes a classifier decide otherwise; the clearest in any case."""
    clear = [2 * entry.expected[-1].max_abs < entry.margin for entry in entries]
    return [given for i, given in enumerate(inputs) if clear[i] or i == 0]


def _relative_tolerance(role: str, exact: Mapping[str, bool], variant: Variant) -> float:
    """Of the largest output; 0 asks for equality to the bit."""
    if exact.get(role, False):
        return 0.0
    codes = variant.recipe.startswith(("static", "dynamic")) or (variant.recipe, variant.precision) == (
        AS_IT_IS,
        "int8",
    )
    return MIXED_TOLERANCE if codes else FLOAT_TOLERANCE


def draw_for(task: Task) -> Callable[[int], Drawn]:
    """What makes golden inputs for a task."""
    if isinstance(task, VisionLanguage):
        return lambda seed: Question(Frame(draw_objects(seed)), QUESTIONS[seed % len(QUESTIONS)])
    if task.accepts == "text":
        return sequence if task.name == "generate" else sentence
    if task.accepts == "sound":
        return lambda seed: draw_voice(seed, ACTIVITY_S if task.name == "activity" else SOUND_S)
    if task.name == "detect":
        return _draw_things
    if task.name != "ocr":
        return draw_scene
    if "detect" in task.sessions:
        return _draw_sign
    return lambda seed: render_line(GOLDEN_SEED, seed).image


def _draw_things(seed: int) -> U8:
    """What some detector may find: shapes, or a document."""
    return draw_objects(seed) if seed % 3 else _draw_sign(seed)


def _draw_sign(seed: int) -> U8:
    """A page at half its size, in eight levels a channel, which a PNG holds in a fifth of the bytes."""
    page = render_page(GOLDEN_SEED, seed).image
    small = cv2.resize(page, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray((small & 0xE0) | 0x10, dtype=np.uint8)


def draw_scene(seed: int) -> U8:
    """A drawn picture of smooth colour fields and a few shapes, for classifiers.

    Args:
        seed: same seed, same picture.

    Returns:
        ``(256, 320, 3)`` uint8 RGB.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    coarse = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (320, 256), interpolation=cv2.INTER_LINEAR_EXACT)
    for _ in range(4):
        center = tuple(int(v) for v in rng.integers(40, 220, 2))
        axes = tuple(int(v) for v in rng.integers(12, 90, 2))
        color = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.ellipse(picture, center, axes, float(rng.integers(0, 180)), 0, 360, color, -1)
    return np.asarray(picture, dtype=np.uint8)
