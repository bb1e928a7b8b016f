import math

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.reader import open_bundle
from edgekit.errors import BundleError, UsageError
from edgekit.selftest import VariantOutcome, selftest
from tests.decoder_files import golden_bundle
from tests.vision_files import QUESTION, golden_vision_bundle


def changed(**fields):
    def change(manifest, members):
        goldens = []
        for golden in manifest.golden:
            expected = tuple(replace(e, **fields) for e in golden.expected)
            goldens.append(replace(golden, expected=expected))
        return replace(manifest, golden=tuple(goldens))

    return change


def first(path, **kwargs):
    return selftest(path, "int8", **kwargs)[0].outcomes[0]


def test_same_machine_is_exact(tiny_bundle):
    outcome = first(tiny_bundle())
    assert (outcome.ok, outcome.exact, outcome.max_abs, outcome.problem) == (True, True, 0.0, "")


def test_other_bytes_within_tolerance_hold_but_are_not_exact(tiny_bundle):
    outcome = first(tiny_bundle(change=changed(sha256="0" * 64, max_abs=0.5)))
    assert (outcome.ok, outcome.exact, outcome.max_abs) == (True, False, 0.0)


def test_other_bytes_fail_where_bits_must_be_equal(tiny_bundle):
    outcome = first(tiny_bundle(change=changed(sha256="0" * 64)))
    assert not outcome.ok
    assert "equal to the bit" in outcome.problem


def test_values_beyond_the_tolerance_fail_with_the_numbers(tiny_bundle):
    def nudge(manifest, members):
        members["golden/0.int8.bin"] = (
            np.frombuffer(members["golden/0.int8.bin"], np.float32) + 0.25
        ).tobytes()
        return changed(sha256="0" * 64, max_abs=0.2)(manifest, members)

    outcome = first(tiny_bundle(change=nudge))
    assert outcome.max_abs == pytest.approx(0.25)
    assert "differs by 0.25, allowed 0.2" in outcome.problem


def test_another_shape_fails(tiny_bundle):
    outcome = first(tiny_bundle(change=changed(shape=(3, 1))))
    assert "expected float32 (3, 1), got float32 (1, 3)" in outcome.problem
    assert outcome.as_json()["max_abs"] is None


def test_a_missing_engine_call_fails(tiny_bundle):
    def twice(manifest, members):
        return replace(
            manifest, golden=tuple(replace(g, expected=g.expected + g.expected) for g in manifest.golden)
        )

    outcome = first(tiny_bundle(change=twice))
    assert "expected 2 outputs, got 1" in outcome.problem
    assert math.isinf(outcome.max_abs)


def test_a_bundle_without_golden_pictures_proves_nothing(tiny_bundle):
    def bare(manifest, members):
        for name in [n for n in members if n.startswith("golden/")]:
            del members[name]
        return replace(manifest, golden=())

    with pytest.raises(BundleError, match="no golden vectors"):
        selftest(tiny_bundle(change=bare))
    assert not VariantOutcome("int8", "e", 1, ()).ok


def test_unknown_variant(tiny_bundle):
    with pytest.raises(UsageError, match="choose from int8, fp16"):
        selftest(tiny_bundle(), "int4")


def test_a_language_model_answers_its_golden_texts(tmp_path):
    pytest.importorskip("tokenizers", reason="the extra text")
    (result,) = selftest(golden_bundle(tmp_path / "tiny.edge"))
    assert [(outcome.ok, outcome.exact) for outcome in result.outcomes] == [(True, True)]


def test_a_question_about_a_picture_is_checked_call_by_call(tmp_path):
    pytest.importorskip("tokenizers", reason="the extra text")
    pytest.importorskip("PIL", reason="the extra pillow")
    path = golden_vision_bundle(tmp_path / "golden.edge")
    outcome = selftest(path)[0].outcomes[0]
    assert (outcome.ok, outcome.exact, outcome.problem) == (True, True, "")
    golden = open_bundle(path).manifest.golden[0]
    assert (golden.question, golden.expected[0].role) == (QUESTION, "vision")
    assert len(golden.decision.split()) == 8
    assert golden.margin > 0
