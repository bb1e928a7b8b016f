"""What two bundles declare differently, stage by stage. Model file, dtype, layout and tensor names may differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from edgekit.bundle.manifest import ClassHead, CtcHead, DbHead, Head, ImageInput, Model, PixelOp, Variant
from edgekit.diagnosis.graph import text_member
from edgekit.diagnosis.operations import align, expected_ops, normalize_of, pair_stage, pixel_ops
from edgekit.evaluation.outcome import Finding

LABEL_MAP = "label map"
ALPHABET = "CTC alphabet"


@dataclass(frozen=True, slots=True)
class Difference:
    """One stage that two declarations differ in.

    Attributes:
        stage: e.g. ``resize``.
        reference: what the reference declares, in words, and
        candidate: what the candidate does.
    """

    stage: str
    reference: str
    candidate: str

    def __str__(self) -> str:
        return f"the reference declares {self.reference}, the candidate {self.candidate}"


def declared(
    reference: Variant,
    candidate: Variant,
    reference_sha256: Mapping[str, str],
    candidate_sha256: Mapping[str, str],
) -> tuple[Finding, ...]:
    """What can be told from declarations alone, where the reference cannot be run.

    A variant whose graph has a channel swap or a normalisation folded in may rightly declare another order or
    none: only :func:`edgekit.diagnosis.diagnose.diagnose` can tell that, by running it.

    Args:
        reference: the variant that was recorded.
        candidate: the variant in question.
        reference_sha256: member path → SHA-256, of the reference's labels and alphabets.
        candidate_sha256: the same of the candidate.
    """
    findings = []
    for role, model in reference.models.items():
        other = candidate.models.get(role)
        if other is None:
            continue
        differences = head_differences(model.head, other.head)
        if isinstance(model.input, ImageInput) and isinstance(other.input, ImageInput):
            differences = [*input_differences(model.input, other.input), *differences]
        elif model.input != other.input:
            differences = [Difference("input", str(model.input), str(other.input)), *differences]
        paths = text_member(model), text_member(other)
        if paths[0] is not None and paths[1] is not None:
            first, second = reference_sha256.get(paths[0]), candidate_sha256.get(paths[1])
            if first is not None and second is not None and first != second:
                stage = text_stage(model.head)
                differences.append(
                    Difference(stage, f"{paths[0]} of SHA-256 {first[:12]}…", f"one of {second[:12]}…")
                )
        findings += [Finding(d.stage, role, str(d)) for d in differences]
    return tuple(findings)


def input_differences(reference: ImageInput, candidate: ImageInput) -> list[Difference]:
    """Differences in pre-processing; normalisation only where both declare one."""
    found: dict[str, list[tuple[PixelOp | None, PixelOp | None]]] = {}
    for pair in align(expected_ops(reference, candidate), pixel_ops(candidate)):
        if pair[0] != pair[1]:
            found.setdefault(pair_stage(pair), []).append(pair)
    differences = [
        Difference(stage, _words([a for a, _ in pairs]), _words([b for _, b in pairs]))
        for stage, pairs in found.items()
    ]
    if reference.color != candidate.color:
        differences.append(Difference("channel order", reference.color, candidate.color))
    return [*differences, *_normalize_differences(reference, candidate)]


def _normalize_differences(reference: ImageInput, candidate: ImageInput) -> Iterator[Difference]:
    right, own = normalize_of(reference), normalize_of(candidate)
    if right is None or own is None:
        return
    for stage in ("mean", "std"):
        a, b = getattr(right, stage), getattr(own, stage)
        turned = reference.color != candidate.color and b == a[::-1]
        if a != b and not turned:
            yield Difference(stage, _numbers(a), _numbers(b))


def head_differences(reference: Head, candidate: Head) -> list[Difference]:
    """Differences in post-processing, but for the content of labels and alphabets."""
    if type(reference) is not type(candidate):
        return [Difference("head", _tag(reference), _tag(candidate))]
    differences = []
    for field in reference.__struct_fields__:
        a, b = getattr(reference, field), getattr(candidate, field)
        if field not in ("tensor", "labels", "alphabet", "activation") and a != b:
            stage = ALPHABET if field in ("blank", "space_last") else field.replace("_", " ")
            differences.append(Difference(stage, f"{field} {a}", f"{b}"))
    return differences


def text_stage(head: Head) -> str:
    """What a wrong label file or alphabet is called."""
    return LABEL_MAP if isinstance(head, ClassHead) else ALPHABET


def line_difference(stage: str, reference: Sequence[str], candidate: Sequence[str]) -> Difference | None:
    """How two lists of labels or symbols differ."""
    if tuple(reference) == tuple(candidate):
        return None
    if len(reference) != len(candidate):
        return Difference(stage, f"{len(reference)} lines", f"{len(candidate)}")
    rows = [i for i, (a, b) in enumerate(zip(reference, candidate, strict=True)) if a != b]
    first = rows[0]
    return Difference(
        stage,
        f"{reference[first]!r} as line {first}",
        f"{candidate[first]!r}, and {len(rows) - 1} of {len(reference)} other lines differ",
    )


def activation_of(head: Head) -> str:
    """The head's activation; detectors have none."""
    return head.activation if isinstance(head, ClassHead | CtcHead) else "none"


def is_decided(model: Model) -> bool:
    """Whether :mod:`edgekit.diagnosis.decision` knows this head."""
    return isinstance(model.head, ClassHead | CtcHead | DbHead)


def _words(ops: Sequence[PixelOp | None]) -> str:
    said = []
    for op in ops:
        if op is None:
            said.append("nothing there")
            continue
        fields = ", ".join(f"{k}={v}" for k, v in msgspec.structs.asdict(op).items())
        said.append(f"{_tag(op)}({fields})")
    return ", ".join(said)


def _tag(part: msgspec.Struct) -> str:
    return str(part.__struct_config__.tag)


def _numbers(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"
