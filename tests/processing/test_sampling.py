from __future__ import annotations

import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.processing.sampling import Sampling, choose, draw, penalize, softmax, top_k, top_p

LOGS = np.log(np.array([0.5, 0.05, 0.3, 0.15], np.float32))


class Fixed:
    def __init__(self, *numbers):
        self._numbers = list(numbers)

    def random(self):
        return self._numbers.pop(0)


def chosen(scores, sampling, *numbers, seen=(), allowed=None):
    return choose(np.asarray(scores, np.float32), seen, sampling, Fixed(*numbers), allowed)


def test_without_a_temperature_the_best_is_taken_the_lowest_of_equal_ones():
    assert chosen([1, 3, 2, 3], Sampling(top_k=1, top_p=0.1)) == 1


def test_draws_are_as_likely_as_the_softmax_says():
    assert [draw(LOGS, Fixed(u)) for u in (0.0, 0.499, 0.501, 0.549, 0.551, 0.849, 0.851, 0.9999)] == [
        0, 0, 1, 1, 2, 2, 3, 3,
    ]  # fmt: skip
    rng = np.random.Generator(np.random.PCG64(0))
    drawn = np.bincount([draw(LOGS, rng) for _ in range(4000)], minlength=4) / 4000
    np.testing.assert_allclose(drawn, [0.5, 0.05, 0.3, 0.15], atol=0.025)


def test_temperature_divides():
    flat = [chosen(LOGS, Sampling(temperature=2.0), u) for u in (0.37, 0.39, 0.52)]
    roots = np.sqrt([0.5, 0.05, 0.3, 0.15])
    ends = (roots / roots.sum()).cumsum()  # .383 .504 .800 1
    assert flat == [int(np.searchsorted(ends, u)) for u in (0.37, 0.39, 0.52)] == [0, 1, 2]


def test_top_k_keeps_the_best_and_what_equals_the_last_of_them():
    assert top_k(np.array([1.0, 5.0, 3.0, 4.0]), 2).tolist() == [1, 3]
    assert top_k(np.array([1.0, 3.0, 3.0, 4.0]), 2).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("p", "kept"),
    [(0.01, [0]), (0.49, [0]), (0.51, [0, 2]), (0.79, [0, 2]), (0.81, [0, 2, 3]), (0.96, [0, 1, 2, 3])],
)
def test_top_p_keeps_the_fewest_that_reach_it(p, kept):
    assert top_p(LOGS, p).tolist() == kept


def test_a_seen_token_is_penalised_once():
    made = penalize(np.array([2.0, -2.0, 1.0], np.float32), [0, 1, 1, 0], 2.0)
    np.testing.assert_array_equal(made, [1.0, -4.0, 1.0])
    assert chosen([2.0, 1.5, 1.0], Sampling(repetition_penalty=2.0), seen=(0,)) == 1


def test_only_allowed_tokens_are_chosen():
    assert chosen([5, 1, 2, 4], Sampling(), allowed=np.array([1, 2])) == 2
    # Of tokens 1 and 2 with 0.05 and 0.3, the first one has a seventh.
    warm = Sampling(temperature=1.0)
    assert [chosen(LOGS, warm, u, allowed=np.array([1, 2])) for u in (0.142, 0.144)] == [1, 2]
    assert chosen(LOGS, Sampling(temperature=1.0, top_k=9), 0.99, allowed=np.array([1])) == 1


@pytest.mark.parametrize(
    "changes",
    [{"temperature": -1}, {"temperature": float("nan")}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1},
     {"repetition_penalty": 0}, {"seed": -1}, {"seed": 2**32}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(changes):
    with pytest.raises(UsageError, match="expected"):
        Sampling(**changes)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_is_what_transformers_leaves(seed):
    torch = pytest.importorskip("torch", reason="transformers is the oracle")
    processors = pytest.importorskip("transformers.generation.logits_process", reason="the oracle")
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 3, 500).astype(np.float32)
    seen = rng.integers(0, 500, 40)
    penalty, temperature, k, p = 1.3, 0.7, 50, 0.9
    left = torch.from_numpy(scores)[None]
    ids = torch.from_numpy(seen)[None]
    for processor in (
        processors.RepetitionPenaltyLogitsProcessor(penalty),
        processors.TemperatureLogitsWarper(temperature),
        processors.TopKLogitsWarper(k),
        processors.TopPLogitsWarper(p),
    ):
        left = processor(ids, left)
    expected = left[0].softmax(-1).double().numpy()
    ours = penalize(scores, seen, penalty).astype(np.float64) / temperature
    kept = top_k(ours, k)
    kept = kept[top_p(ours[kept], p)]
    found = np.zeros(500)
    found[kept] = softmax(ours[kept])
    assert set(kept) == set(np.flatnonzero(expected))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    settings = Sampling(temperature, k, p, penalty)
    ends = expected.cumsum()
    for u in (0.05, 0.5, 0.95):
        assert chosen(scores, settings, u, seen=seen) == int(np.searchsorted(ends, u, side="right"))


def test_top_p_of_many_unlikely_tokens_needs_no_sort_of_all():
    scores = np.zeros(1000)
    scores[[3, 70]] = 12.0
    assert top_p(scores, 0.9).tolist() == [3, 70]
