from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edgekit import Classification
from edgekit.bundle.writer import write_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.selftest import selftest
from edgekit.tasks.golden import GOLDEN_TOKENS, digest, probe
from edgekit.tasks.registry import make_task
from edgekit.tasks.trace import Trace
from edgekit_export import golden
from tests.decoder_files import language_manifest, language_members, language_variant


class Session:
    inputs = ()

    class _Spec:
        name = "scores"

    outputs = (_Spec(),)

    def run(self, feeds):
        return [feeds["image"].astype(np.float32).mean(axis=(1, 2))]


class Brightest:
    """Names the strongest channel; its margin is the distance to the second."""

    name = "classify"
    session = Session()

    def __call__(self, image, trace=None):
        pixels = getattr(image, "pixels", image)
        (scores,) = (trace or Trace()).infer("model", self.session, {"image": pixels[None]})
        return Classification(scores[0], ("r", "g", "b"))


class Plain:
    name = "int8"
    recipe, precision = "weight_only_wi8", "int8"


def solid(seed):
    """Red, green, blue in turn; later seeds are clearer."""
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[..., seed % 3] = 10 + seed
    return picture


def test_clearest_decisions_win_and_differ():
    pictures = golden.golden_inputs(Brightest(), solid, n=2)
    assert [int(p.content.pixels.max()) for p in pictures] == [21, 20]
    assert [p.path for p in pictures] == ["golden/0.png", "golden/1.png"]
    decoded = cv2.imdecode(np.frombuffer(pictures[0].data, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded[:, :, ::-1], pictures[0].content.pixels)


@pytest.mark.parametrize(
    ("exact", "tolerance"), [({"model": True}, 0.0), ({"model": False}, 0.021), ({}, 0.021)]
)
def test_recorded_values(exact, tolerance):
    (picture,) = golden.golden_inputs(Brightest(), solid, n=1)
    (entry,), members = golden.record(Brightest(), Plain(), [picture], exact)
    output = np.array([[0, 0, 21]], np.float32)
    assert (entry.variant, entry.decision, entry.margin) == ("int8", "2", 21.0)
    assert entry.expected[0].sha256 == digest(output)
    assert entry.expected[0].max_abs == pytest.approx(tolerance)
    assert members == {"golden/0.png": picture.data, "golden/0.int8.0.bin": probe(output).tobytes()}


@pytest.mark.parametrize(
    ("recipe", "precision", "exact", "tolerance"),
    [
        ("static_wi8_ai8", "int8", True, 0.0),
        ("static_wi8_ai8", "int8", False, golden.MIXED_TOLERANCE),
        ("weight_only_wi8", "int8", False, golden.FLOAT_TOLERANCE),
        ("full_precision", "fp32", False, golden.FLOAT_TOLERANCE),
        ("as_it_is", "int8", False, golden.MIXED_TOLERANCE),
        ("as_it_is", "fp16", False, golden.FLOAT_TOLERANCE),
    ],
)
def test_the_tolerance_follows_what_can_differ(recipe, precision, exact, tolerance):
    variant = type("V", (), {"recipe": recipe, "precision": precision})()
    assert golden._relative_tolerance("recognize", {"recognize": exact}, variant) == tolerance


def test_drawings_repeat():
    for task in (
        SimpleNamespace(name="classify", accepts="picture", sessions={"model": None}),
        SimpleNamespace(name="ocr", accepts="picture", sessions={"detect": None, "recognize": None}),
        SimpleNamespace(name="ocr", accepts="picture", sessions={"recognize": None}),
    ):
        draw = golden.draw_for(task)
        np.testing.assert_array_equal(draw(3), draw(3))
        assert (draw(3).shape != draw(4).shape) or (draw(3) != draw(4)).any()
        assert draw(3).dtype == np.uint8


def test_steady_inputs_decide_alike_within_their_tolerance():
    def entry(margin, max_abs):
        return type("G", (), {"margin": margin, "expected": [type("E", (), {"max_abs": max_abs})()]})()

    entries = [entry(0.1, 0.2), entry(0.5, 0.2), entry(0.4, 0.2), entry(0.9, 0.2)]
    assert golden.steady(["a", "b", "c", "d"], entries) == ["a", "b", "d"]


def language_bundle(folder, nudge=0.0):
    """A bundle whose golden vectors were recorded before its head's weights were moved by ``nudge``."""
    pytest.importorskip("tokenizers", reason="the extra text")
    members = language_members()
    variant = language_variant(members)
    for path, data in members.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    task = make_task("generate", "tiny", variant, folder, options=EngineOptions(threads=1))
    inputs = golden.golden_inputs(task, golden.draw_for(task))
    entries, recorded = golden.record(task, variant, inputs, {})
    moved = language_members(change=lambda made: made["head"].__imul__(1 + nudge))
    manifest = language_manifest(moved, golden=entries)
    write_bundle(folder / "tiny.edge", manifest, moved | recorded)
    return folder / "tiny.edge", entries


def test_a_language_model_is_recorded_by_its_tokens_and_scores(tmp_path):
    path, entries = language_bundle(tmp_path)
    assert len(entries) == golden.INPUTS
    for entry in entries:
        assert len(entry.decision.split()) == GOLDEN_TOKENS
        assert len(entry.expected) >= GOLDEN_TOKENS  # a long prompt goes in parts
        assert {(one.role, one.output, one.shape) for one in entry.expected} == {
            ("decode", "logits", (1, 300))
        }
        assert entry.margin > 0
    (result,) = selftest(path, options=EngineOptions(threads=1))
    assert all(outcome.ok and outcome.exact for outcome in result.outcomes)


@pytest.mark.parametrize(("nudge", "ok"), [(1e-4, True), (1e-2, False)])
def test_a_language_model_of_other_rounding_holds_and_another_one_does_not(tmp_path, nudge, ok):
    (result,) = selftest(language_bundle(tmp_path, nudge)[0], options=EngineOptions(threads=1))
    assert result.ok is ok
    assert not any(outcome.exact for outcome in result.outcomes)
