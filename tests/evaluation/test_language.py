from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edgekit.errors import DataError, UsageError
from edgekit.evaluation.divergence import exact_divergence, log_probabilities
from edgekit.evaluation.language import language_scorer
from edgekit.evaluation.parting import Parting
from edgekit.types import ChoiceScores, TokenScores

LN2 = math.log(2)


def scored(bits, tokenizer="", answer=(), text=None, text_bytes=8, divergence=None, top=0):
    """Token scores of one token a number of bits."""
    n = len(bits)
    return TokenScores(
        -np.array(bits, np.float32) * np.float32(LN2),
        np.full((n, 1), top, np.int32),
        np.full((n, 1), -0.5, np.float32),
        text_bytes,
        tokenizer,
        divergence,
        answer,
        "".join(map(str, answer)) if text is None else text,
    )


def test_the_same_tokenizer_gives_perplexity_and_an_exact_divergence(sample):
    scorer = language_scorer(False)
    for i in range(4):
        scorer.add(sample(str(i)), scored([1, 1], "a"), scored([1, 2], "a", divergence=0.25 + i / 10))
    score = scorer.score()
    assert (score.metric, score.candidate) == ("perplexity", pytest.approx(2**1.5))
    bits, kl, _ = score.measures
    assert (bits.name, bits.reference, bits.candidate) == ("bits_per_byte", 0.25, 0.375)
    assert (kl.name, kl.drop) == ("kl", pytest.approx(1.6 / 8))
    assert "lower bound" not in kl.meaning


def test_one_text_without_an_exact_divergence_makes_it_a_bound(sample):
    scorer = language_scorer(False)
    for i, exact in enumerate((0.25, None)):
        scorer.add(sample(str(i)), scored([1, 1]), scored([1, 1], divergence=exact))
    kl = scorer.score().measures[1]
    assert (kl.name, kl.drop) == ("kl_at_least", pytest.approx(0.25 / 4))
    assert "lower bound" in kl.meaning


def test_other_tokenizers_give_bits_per_byte_text_by_text(sample):
    scorer = language_scorer(False)
    rng = np.random.default_rng(0)
    was = now = 0.0
    for i in range(60):
        bits = rng.exponential(3, 20)
        more = [*(bits * 1.02 + rng.normal(0, 0.02, 20)), 0.1]
        scorer.add(
            sample(str(i)), scored(bits, "a", (1, 2), text_bytes=50), scored(more, "b", (1, 2), text_bytes=50)
        )
        was, now = was + sum(bits), now + sum(more)
    score = scorer.score()
    assert (score.metric, score.percent, score.clusters) == ("bits_per_byte", False, 60)
    assert (score.reference, score.candidate) == pytest.approx((was / 3000, now / 3000), rel=1e-5)
    assert score.drop == pytest.approx(now / was - 1, rel=1e-3)
    found, wide = score.interval_at(1.0, 0.95), score.interval_at(1.0, 0.999)
    assert wide.low < found.low < score.drop < found.high < wide.high
    assert found.high - found.low < 0.01
    (tokens,) = score.measures
    assert (tokens.name, tokens.reference, tokens.candidate, tokens.drop) == (
        "tokens_per_byte",
        0.4,
        0.42,
        0.02,
    )
    assert (score.flips.changed, score.agreement) == (0, 1.0)
    assert scorer.primary().add(
        sample("1"), scored([1], "a", (1,)), scored([3], "b", (2,))
    ).severity == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("first", "second", "changed"),
    [
        ("one two", "one two", 0),
        ("one two", "one twos", 0),
        ("one", "two", 1),
        ("", "one", 1),
        ("one", "one", 0),
    ],
)
def test_decisions_of_other_tokenizers_are_how_both_go_on(sample, first, second, changed):
    scorer = language_scorer(False)
    change = scorer.add(sample("1"), scored([8], "a", text=first), scored([16, 8], "b", text=second))
    assert scorer.score().flips.changed == changed
    assert (change.changed, change.severity) == (bool(changed), pytest.approx(2.0))
    assert (change.reference, change.candidate) == ("1.000 bits per byte", "3.000 bits per byte")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (scored([1, 1], "b"), "neither says how it goes on"),
        (scored([1, 1], "b", (1,), text_bytes=9), "of 8 and 9 bytes"),
    ],
)
def test_other_tokenizers_that_cannot_be_compared_are_refused(sample, other, message):
    with pytest.raises(UsageError, match=message):
        language_scorer(False).add(sample("1"), scored([1], "a"), other)


def test_no_text_is_no_score():
    with pytest.raises(DataError, match="no text"):
        language_scorer(False).score()


def test_where_greedy_answers_part():
    parting = Parting()
    answers = [((1, 2, 3, 4), (1, 2, 3, 4)), ((1, 2, 3, 4), (1, 2, 9, 4)), ((1, 2), (1,)), ((5, 5), (6, 5))]
    for i, (first, second) in enumerate(answers):
        parting.add(str(i), scored([1], answer=first), scored([1], answer=second))
    parted, *quartiles = parting.measures()
    assert (parted.name, parted.drop, parted.unit) == ("greedy_parted", 75.0, "points")
    assert "of the first 4" in parted.meaning
    low, high = parted.interval
    assert low < 75 < high < 100
    assert [(m.name, m.drop, m.unit) for m in quartiles] == [
        ("greedy_same_p25", 0.0, "tokens"),
        ("greedy_same_p50", 1.0, "tokens"),
        ("greedy_same_p75", 2.0, "tokens"),
    ]


def test_parting_is_not_told_where_a_text_has_no_answers():
    parting = Parting()
    assert parting.measures() == ()
    parting.add("1", scored([1], answer=(1,)), scored([1], answer=(1,)))
    assert parting.measures()[0].drop == 0
    assert [m.drop for m in parting.measures()[1:]] == [1.0, 1.0, 1.0]
    parting.add("2", scored([1]), scored([1]))
    assert parting.measures() == ()


def test_multiple_choice(sample):
    scorer = language_scorer(True)
    right, wrong = (
        ChoiceScores(np.array([-1, -2, -3], np.float32)),
        ChoiceScores(np.array([-3, -2, -9], np.float32)),
    )
    for i in range(40):
        scorer.add(sample(str(i), 0), right, right)
    for i in range(40, 44):
        change = scorer.add(sample(str(i), 0), right, wrong)
    assert (change.changed, change.severity, change.truth) == (True, 2.0, "answer 1")
    assert (change.reference, change.candidate) == ("answer 1 (-1.000 a byte)", "answer 2 (-2.000 a byte)")
    scorer.add(sample("44", 1), right, wrong)
    score = scorer.score()
    assert (score.metric, score.percent) == ("choice_accuracy", True)
    assert (score.reference, score.candidate) == (pytest.approx(44 / 45), pytest.approx(41 / 45))
    assert (score.flips.changed, score.flips.right_to_wrong, score.flips.wrong_to_right) == (5, 4, 1)
    interval = score.interval_at(1.0, 0.95)
    assert score.drop == pytest.approx(3 / 45)
    assert interval.low < score.drop < interval.high
    assert score.mcnemar_p == pytest.approx(0.375)


def test_broken_scores_are_no_answer():
    assert ChoiceScores(np.array([np.nan, -5, -4], np.float32)).best == 2
    assert ChoiceScores(np.array([np.nan, np.nan], np.float32)).best == 0


@pytest.mark.parametrize("truth", [None, 3, "a"])
def test_questions_whose_answers_do_not_fit_are_refused(sample, truth):
    found = ChoiceScores(np.zeros(3, np.float32))
    with pytest.raises(DataError, match="right answer is number"):
        language_scorer(True).add(sample("1", truth), found, found)


@pytest.mark.parametrize("labelled", [True, False])
def test_other_results_are_a_bug(sample, chosen, labelled):
    with pytest.raises(TypeError, match="scores"):
        language_scorer(labelled).add(sample("1", 0), chosen(0), chosen(0))
    mixed = scored([1], "a"), replace(scored([1], "b", (1,)))
    with pytest.raises(TypeError, match="scores"):
        scorer = language_scorer(False)
        scorer.add(sample("1"), *mixed)
        scorer.add(sample("2"), chosen(0), chosen(0))


def test_exact_divergence_of_broken_candidates_is_finite():
    p = log_probabilities(np.array([[0, 1, 2], [5, 5, 5]], np.float32))
    assert np.exp(p).sum(1) == pytest.approx([1, 1])
    assert exact_divergence(p, p) == pytest.approx(0, abs=1e-6)
    broken = p.copy()
    broken[0] = np.nan
    broken[1] = -np.inf
    entropies = -(np.exp(p) * p).sum()
    assert exact_divergence(p, broken) == pytest.approx(200 - entropies, rel=1e-5)
    with pytest.raises(ValueError, match="the same tokens"):
        exact_divergence(p, p[:, :2])
