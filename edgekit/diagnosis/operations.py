"""Two lists of pre-processing operations laid side by side, and one put right by the other."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from msgspec.structs import replace

from edgekit.bundle.manifest import CenterCrop, ImageInput, Normalize, PixelOp, ResizeShorter, ResizeStretch

Pair: TypeAlias = tuple[PixelOp | None, PixelOp | None]
"""The reference's operation and what the candidate has in its place."""


def stage_of(op: PixelOp) -> str:
    """``resize``, ``crop``, or the operation's own name."""
    tag = str(op.__struct_config__.tag)
    for stage in ("resize", "crop"):
        if stage in tag.split("_"):
            return stage
    return tag.replace("_", " ")


def pixel_ops(spec: ImageInput) -> tuple[PixelOp, ...]:
    """The operations but for normalisation."""
    return tuple(op for op in spec.ops if not isinstance(op, Normalize))


def normalize_of(spec: ImageInput) -> Normalize | None:
    """The normalisation, where it is declared."""
    return next((op for op in spec.ops if isinstance(op, Normalize)), None)


def align(reference: tuple[PixelOp, ...], candidate: tuple[PixelOp, ...]) -> tuple[Pair, ...]:
    """Pairs what stands in each other's place.

    What both begin and end with is paired first. If as many operations are left on both sides, they are paired
    in order (a stretch in place of a crop breaks the crop); otherwise those of the same stage, in order.
    """
    head = _common(reference, candidate)
    tail = _common(reference[head:][::-1], candidate[head:][::-1])
    left, right = reference[head : len(reference) - tail], candidate[head : len(candidate) - tail]
    middle = list(zip(left, right, strict=True)) if len(left) == len(right) else _by_stage(left, right)
    same = [(op, op) for op in reference]
    return (*same[:head], *middle, *same[len(reference) - tail :])


def _common(a: tuple[PixelOp, ...], b: tuple[PixelOp, ...]) -> int:
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return n


def _by_stage(left: tuple[PixelOp, ...], right: tuple[PixelOp, ...]) -> list[Pair]:
    pairs: list[Pair] = []
    rest = list(right)
    for op in left:
        same = next((i for i, other in enumerate(rest) if stage_of(other) == stage_of(op)), None)
        if same is None:
            pairs.append((op, None))
            continue
        pairs += [(None, other) for other in rest[:same]]
        pairs.append((op, rest[same]))
        del rest[: same + 1]
    return [*pairs, *((None, other) for other in rest)]


def pair_stage(pair: Pair) -> str:
    """The stage that a pair belongs to: what the reference does there, or else what the candidate adds."""
    op = pair[0] or pair[1]
    assert op is not None
    return stage_of(op)


def expected_ops(reference: ImageInput, candidate: ImageInput) -> tuple[PixelOp, ...]:
    """The reference's operations as a variant with another input size should have them.

    A variant with a smaller input is no fault if it sees the same part of the picture: sizes scaled by the ratio
    of the final sizes are expected where that explains the candidate better.
    """
    ops, own = pixel_ops(reference), pixel_ops(candidate)
    final, own_final = _final_wh(ops), _final_wh(own)
    if final is None or own_final is None or final == own_final:
        return ops
    scaled = tuple(_scaled(op, own_final[0] / final[0], own_final[1] / final[1]) for op in ops)
    near = tuple(b if _near(a, b) else a for a, b in zip(scaled, own, strict=False)) + scaled[len(own) :]
    return near if _differing(near, own) < _differing(ops, own) else ops


def _final_wh(ops: tuple[PixelOp, ...]) -> tuple[int, int] | None:
    last = ops[-1] if ops else None
    return (last.width, last.height) if isinstance(last, CenterCrop | ResizeStretch) else None


def _scaled(op: PixelOp, x: float, y: float) -> PixelOp:
    if isinstance(op, CenterCrop | ResizeStretch):
        return replace(op, width=round(op.width * x), height=round(op.height * y))
    return replace(op, size=round(op.size * min(x, y))) if isinstance(op, ResizeShorter) else op


def _near(a: PixelOp, b: PixelOp) -> bool:
    """Equal but for one pixel of rounding."""
    return isinstance(a, ResizeShorter) and isinstance(b, ResizeShorter) and abs(a.size - b.size) <= 1


def _differing(a: tuple[PixelOp, ...], b: tuple[PixelOp, ...]) -> int:
    return sum(x != y for x, y in align(a, b))


def repaired(reference: ImageInput, candidate: ImageInput, stages: Collection[str]) -> ImageInput:
    """The candidate's pre-processing with some stages taken from the reference.

    Args:
        reference: what is right.
        candidate: what is put right in part; its tensor, dtype and layout stay.
        stages: ``resize``, ``crop``, ``channel order``, ``mean``, ``std``.
    """
    pairs = align(expected_ops(reference, candidate), pixel_ops(candidate))
    ops = [pair[0] if pair_stage(pair) in stages else pair[1] for pair in pairs]
    normalize, right = normalize_of(candidate), normalize_of(reference)
    if right is not None and candidate.dtype == "float32" and {"mean", "std"}.intersection(stages):
        own = normalize or Normalize((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        turned = reference.color != candidate.color and "channel order" not in stages
        mean, std = (right.mean[::-1], right.std[::-1]) if turned else (right.mean, right.std)
        normalize = Normalize(mean if "mean" in stages else own.mean, std if "std" in stages else own.std)
    return replace(
        candidate,
        ops=(*(op for op in ops if op is not None), *([normalize] if normalize else [])),
        color=reference.color if "channel order" in stages else candidate.color,
    )
