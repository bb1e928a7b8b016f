from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import Model, Normalize, ResizeStretch
from edgekit.bundle.reader import open_bundle
from edgekit.diagnosis.diagnose import diagnose
from edgekit.evaluation.outcome import Finding
from tests.diagnosis.networks import CLASSES, MEAN, STD, classifier, pictures, reader
from tests.diagnosis.surgery import levels, multiplied, rebuilt, reordered, sharpened, side, swapped

NOISE = 0.02  # of every weight: 25 to 30 dB at the outputs, what int8 costs
LITTLE = 0.005
FRAMES = pictures()


def found(reference: Path, tmp_path: Path, candidate: Path, **how: object) -> tuple[Finding, ...]:
    broken = rebuilt(open_bundle(candidate), tmp_path / "broken.edge", **how)
    return diagnose(side(reference), side(broken), FRAMES)


def stages(findings: tuple[Finding, ...]) -> list[str]:
    return sorted({finding.stage for finding in findings})


def model_with(change):
    return {"declare": lambda _role, model: change(model)}


def exchanged(lines: list[str]) -> list[str]:
    return [lines[1], lines[0], *lines[2:]]


def turned(lines: list[str]) -> list[str]:
    return [*lines[1:], lines[0]]


@pytest.mark.parametrize("noise", [0.0, 0.0005, NOISE])
@pytest.mark.parametrize("make", [classifier, reader])
def test_noise_is_no_fault(tmp_path: Path, make, noise: float) -> None:
    reference, candidate = make(tmp_path / "r.edge"), make(tmp_path / "c.edge", noise)
    assert diagnose(side(reference), side(candidate), FRAMES) == ()


def test_normalisation_may_be_folded_into_the_graph(tmp_path: Path) -> None:
    reference = classifier(tmp_path / "r.edge", folded=False)
    candidate = classifier(tmp_path / "c.edge", NOISE, folded=True)
    assert diagnose(side(reference), side(candidate), FRAMES) == ()
    assert diagnose(side(candidate), side(reference), FRAMES) == ()


def test_channel_order_may_be_folded_into_the_graph(tmp_path: Path) -> None:
    def other_order(model: Model) -> Model:
        return replace(model, input=replace(model.input, color="bgr"))

    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", NOISE)

    def folded(proto) -> None:
        swapped(proto)
        for tensor in proto.graph.initializer:
            if tensor.name in ("mean", "std"):  # they lie before the swap, in the order of the input
                values = np.frombuffer(tensor.raw_data, np.float32)
                tensor.raw_data = values[::-1].tobytes()

    findings = found(reference, tmp_path, candidate, graphs={"model": folded}, **model_with(other_order))
    assert findings == ()


@pytest.mark.parametrize("size", [38, 42, 50])
def test_declared_resize(tmp_path: Path, size: int) -> None:
    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", LITTLE)
    how = model_with(
        lambda m: replace(m, input=replace(m.input, ops=(replace(m.input.ops[0], size=size), m.input.ops[1])))
    )
    (finding,) = found(reference, tmp_path, candidate, **how)
    assert (finding.stage, finding.role) == ("resize", "model")
    assert "size=40" in finding.evidence and f"size={size}" in finding.evidence
    assert finding.restored in (None, 1)


@pytest.mark.parametrize(
    ("stage", "how"),
    [
        ("channel order", model_with(lambda m: replace(m, input=replace(m.input, color="bgr")))),
        (
            "crop",
            model_with(
                lambda m: replace(m, input=replace(m.input, ops=(m.input.ops[0], ResizeStretch(32, 32))))
            ),
        ),
        ("label map", {"texts": turned}),
    ],
)
def test_declared_faults_of_a_classifier(tmp_path: Path, stage: str, how) -> None:
    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", LITTLE)
    (finding,) = found(reference, tmp_path, candidate, **how)
    assert finding.stage == stage
    assert finding.restored in (None, 1)


@pytest.mark.parametrize(
    ("stage", "mean", "std"),
    [
        ("mean", (130.0, 115.0, 105.0), STD),
        ("mean", (0.0, 0.0, 0.0), STD),
        ("std", MEAN, (64.0, 63.0, 63.0)),
        ("std", MEAN, (1.0, 1.0, 1.0)),
    ],
)
def test_declared_normalisation(tmp_path: Path, stage: str, mean, std) -> None:
    reference = classifier(tmp_path / "r.edge", folded=False)
    candidate = classifier(tmp_path / "c.edge", LITTLE, folded=False)
    how = model_with(
        lambda m: replace(m, input=replace(m.input, ops=(*m.input.ops[:2], Normalize(mean, std))))
    )
    (finding,) = found(reference, tmp_path, candidate, **how)
    assert finding.stage == stage
    assert finding.restored in (None, 1)


def test_a_crop_larger_than_the_picture(tmp_path: Path) -> None:
    reference = classifier(tmp_path / "r.edge")
    how = model_with(
        lambda m: replace(m, input=replace(m.input, ops=(replace(m.input.ops[0], size=30), m.input.ops[1])))
    )
    (finding,) = found(reference, tmp_path, reference, **how)
    assert (finding.stage, finding.restored) == ("resize", 1)


def test_a_normalisation_left_out_breaks_mean_and_std(tmp_path: Path) -> None:
    reference = classifier(tmp_path / "r.edge", folded=False)
    how = model_with(lambda m: replace(m, input=replace(m.input, ops=m.input.ops[:2])))
    findings = found(reference, tmp_path, reference, **how)
    assert stages(findings) == ["mean", "std"]


def test_several_declared_faults_are_all_named(tmp_path: Path) -> None:
    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", NOISE)

    def both(model: Model) -> Model:
        ops = (replace(model.input.ops[0], size=50), model.input.ops[1])
        return replace(model, input=replace(model.input, ops=ops, color="bgr"))

    findings = found(reference, tmp_path, candidate, texts=exchanged, declare=lambda _r, m: both(m))
    assert stages(findings) == ["channel order", "label map", "resize"]


def test_an_activation_left_out(tmp_path: Path) -> None:
    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", 0.0)
    how = model_with(lambda m: replace(m, head=replace(m.head, activation="none")))
    (finding,) = found(reference, tmp_path, candidate, **how)
    assert (finding.stage, finding.restored) == ("activation", None)


@pytest.mark.parametrize(
    ("stage", "how"),
    [
        ("CTC alphabet", {"texts": turned}),
        ("CTC alphabet", {"texts": exchanged}),
        ("CTC alphabet", model_with(lambda m: replace(m, head=replace(m.head, blank=31)))),
        ("channel order", model_with(lambda m: replace(m, input=replace(m.input, color="rgb")))),
        ("min score", model_with(lambda m: replace(m, head=replace(m.head, min_score=0.5)))),
    ],
)
def test_declared_faults_of_a_reader(tmp_path: Path, stage: str, how) -> None:
    reference, candidate = reader(tmp_path / "r.edge"), reader(tmp_path / "c.edge", 0.001)
    findings = found(reference, tmp_path, candidate, **how)
    assert stages(findings) == (
        [] if stage == "min score" else [stage]
    )  # a line alone is read whatever its score
    assert all(finding.restored in (None, 1) for finding in findings)


SWAPPED_PAIR = np.arange(CLASSES)
SWAPPED_PAIR[[3, 17]] = 17, 3


@pytest.mark.parametrize(
    ("stage", "broken"),
    [
        ("channel order", swapped),
        ("mean", levels(1, [-10 / 58, 0, 0])),
        ("mean", levels(1, -10 / 58)),
        ("mean", levels(1, -40 / 58)),
        ("mean", levels(1, 1.2)),
        ("std", levels(1 / 1.2, 0)),
        ("std", levels(1 / 1.5, 0)),
        ("std", levels(2, 0)),
        ("label map", reordered(np.random.default_rng(0).permutation(CLASSES))),
        ("label map", reordered(np.roll(np.arange(CLASSES), 1))),
        ("label map", reordered(SWAPPED_PAIR)),
        ("output scale", multiplied(1.3)),
        ("output scale", multiplied(0.5)),
        ("output scale", multiplied(20)),
    ],
)
@pytest.mark.parametrize("noise", [0.0, NOISE])
def test_faults_inside_a_classifier(tmp_path: Path, stage: str, broken, noise: float) -> None:
    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", noise)
    findings = found(reference, tmp_path, candidate, graphs={"model": broken})
    assert stages(findings) == [stage]
    assert findings[0].evidence.startswith("inside the graph: ")


def test_two_faults_inside_a_classifier(tmp_path: Path) -> None:
    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", 0.01)

    def both(proto) -> None:
        swapped(proto)
        multiplied(1.5)(proto)

    findings = found(reference, tmp_path, candidate, graphs={"model": both})
    assert stages(findings) == ["channel order", "output scale"]


def test_declared_and_built_in_faults_together(tmp_path: Path) -> None:
    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", 0.01)
    findings = found(reference, tmp_path, candidate, texts=turned, graphs={"model": multiplied(1.5)})
    assert stages(findings) == ["label map", "output scale"]


@pytest.mark.parametrize(
    ("stage", "broken"),
    [
        ("channel order", swapped),
        ("mean", levels(1, -40 / 58)),
        ("std", levels(1 / 1.5, 0)),
        ("CTC alphabet", reordered(np.roll(np.arange(32), 1))),
        ("output scale", multiplied(1.3)),
        ("output scale", sharpened(1.3)),
    ],
)
def test_faults_inside_a_reader(tmp_path: Path, stage: str, broken) -> None:
    reference, candidate = reader(tmp_path / "r.edge"), reader(tmp_path / "c.edge", NOISE)
    findings = found(reference, tmp_path, candidate, graphs={"recognize": broken})
    assert stages(findings) == [stage]


def test_classes_in_another_order_with_their_labels_are_no_fault(tmp_path: Path) -> None:
    reference, candidate = classifier(tmp_path / "r.edge"), classifier(tmp_path / "c.edge", NOISE)
    order = np.random.default_rng(1).permutation(CLASSES)
    findings = found(
        reference,
        tmp_path,
        candidate,
        graphs={"model": reordered(order)},
        texts=lambda lines: [lines[i] for i in order],
    )
    assert findings == ()


def test_without_pictures_nothing_is_found(tmp_path: Path) -> None:
    reference = classifier(tmp_path / "r.edge")
    assert diagnose(side(reference), side(reference), []) == ()
