import math

import numpy as np
import pytest
from scipy.stats import entropy

from edgekit.errors import UsageError
from edgekit.evaluation.divergence import divergence
from edgekit.evaluation.tokens import Perplexity
from edgekit.types import TokenScores


def scored(logprob, top=None, top_logprob=None, text_bytes=8):
    """Token scores whose likeliest tokens are all number 0 unless given."""
    logprob = np.array(logprob, np.float32)
    top = np.zeros((len(logprob), 1), np.int32) if top is None else np.array(top, np.int32)
    given = np.full(top.shape, np.log(0.5)) if top_logprob is None else np.array(top_logprob)
    return TokenScores(logprob, top, given.astype(np.float32), text_bytes)


def test_perplexity_and_its_rise(sample):
    scorer = Perplexity(False)
    rng = np.random.default_rng(0)
    was, now, tokens = 0.0, 0.0, 0
    for i in range(50):
        logprob = -rng.exponential(2, rng.integers(20, 60)).astype(np.float32)
        worse = (logprob - np.float32(0.02) - rng.normal(0, 0.01)).astype(np.float32)
        scorer.add(sample(str(i)), scored(logprob), scored(worse))
        was, now, tokens = was - logprob.sum(dtype=float), now - worse.sum(dtype=float), tokens + len(logprob)
    score = scorer.score()
    assert (score.metric, score.percent, score.clusters) == ("perplexity", False, 50)
    assert score.reference == pytest.approx(math.exp(was / tokens))
    assert score.candidate == pytest.approx(math.exp(now / tokens))
    assert score.drop == pytest.approx(score.candidate / score.reference - 1)
    found, wide = score.interval_at(1.0, 0.95), score.interval_at(1.0, 0.999)
    assert wide.low < found.low < score.drop < found.high < wide.high
    assert found.high - found.low == pytest.approx(2 * 2.01 * 0.01 / math.sqrt(50), rel=0.35)
    assert score.interval_at(4.0, 0.95).high < found.high


def test_bits_per_byte_and_next_tokens(sample):
    scorer = Perplexity(False)
    ln2 = math.log(2)
    scorer.add(sample("1"), scored([-ln2, -ln2, -ln2, -ln2]), scored([-ln2, -2 * ln2, -ln2, -2 * ln2]))
    scorer.add(sample("2"), scored([-ln2], [[3]]), scored([-ln2], [[4]]))
    score = scorer.score()
    bits, kl, tokens = score.measures
    assert (bits.name, bits.unit) == ("bits_per_byte", "bits")
    assert (bits.reference, bits.candidate, bits.drop) == pytest.approx((5 / 16, 7 / 16, 2 / 16))
    assert (kl.name, kl.unit) == ("kl_at_least", "nats")
    assert (tokens.name, tokens.unit, tokens.drop) == ("token_disagreement", "points", 20.0)
    assert score.agreement == pytest.approx(0.8)
    assert (score.flips.changed, score.flips.right_to_wrong) == (1, None)


@pytest.mark.parametrize("seed", range(3))
def test_divergence_is_exact_where_all_tokens_are_given(seed):
    p, q = np.random.default_rng(seed).dirichlet(np.ones(12), (2, 5))
    sides = []
    for given in (p, q):
        order = np.argsort(-given, axis=1)
        sides.append(scored(np.zeros(5), order, np.log(np.take_along_axis(given, order, 1))))
    assert divergence(*sides) == pytest.approx(
        sum(entropy(a, b) for a, b in zip(p, q, strict=True)), rel=1e-4
    )


def test_divergence_of_the_likeliest_is_a_lower_bound():
    p, q = np.random.default_rng(9).dirichlet(np.full(50, 0.3), (2, 30))
    exact = sum(entropy(a, b) for a, b in zip(p, np.maximum(q, 1e-30), strict=True))
    bounds = []
    for k in (1, 5, 20, 50):
        sides = []
        for given in (p, q):
            order = np.argsort(-given, axis=1)[:, :k]
            top = np.log(np.maximum(np.take_along_axis(given, order, 1), 1e-30))
            sides.append(scored(np.zeros(30), order, top))
        bounds.append(divergence(*sides))
    assert 0 <= bounds[0] < bounds[1] < bounds[2] < bounds[3] <= exact * (1 + 1e-4)


def test_divergence_of_equals_is_none():
    one = scored([-1.0, -2.0], [[1, 2], [2, 3]], np.log([[0.6, 0.2], [0.9, 0.1]]))
    assert divergence(one, one) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("broken", [np.nan, -np.inf])
def test_broken_candidates_are_as_bad_as_can_be(sample, broken):
    scorer = Perplexity(False)
    scorer.add(sample("1"), scored([-1.0]), scored([broken]))
    scorer.add(sample("2"), scored([-1.0]), scored([-1.0]))
    score = scorer.score()
    assert score.drop == pytest.approx(math.exp(99 / 2) - 1)
    assert score.interval_at(1.0, 0.95).high >= score.drop


def test_severity_is_the_rise(sample):
    change = Perplexity(False).add(sample("1"), scored([-1.0, -2.0]), scored([-1.5, -2.5], [[1], [0]]))
    assert (change.changed, change.severity) == (True, pytest.approx(0.5))
    assert (change.reference, change.candidate, change.truth) == ("perplexity 4.48", "perplexity 7.39", None)


@pytest.mark.parametrize("other", [scored([-1.0, -1.0]), scored([-1.0], text_bytes=9)])
def test_another_tokenizer_is_refused(sample, other):
    with pytest.raises(UsageError, match="cut the text differently"):
        Perplexity(False).add(sample("1"), scored([-1.0]), other)


def test_other_results_are_a_bug(sample, chosen):
    with pytest.raises(TypeError, match="token scores"):
        Perplexity(False).add(sample("1"), chosen(0), chosen(0))
