"""What holds for every scorer: results read back from a file, in another order, with scores asked for on the way."""

import json

import msgspec
import numpy as np
import pytest

from edgekit.data.sample import TrueBoxes
from edgekit.evaluation.answers import ExactMatch
from edgekit.evaluation.boxes import AveragePrecision
from edgekit.evaluation.classes import TopOne
from edgekit.evaluation.embeddings import Recall
from edgekit.evaluation.text import CharacterErrors, WordErrors
from edgekit.evaluation.tokens import Perplexity
from edgekit.predictions.record import Record, to_record, to_result
from edgekit.types import Classification, Detections, Embedding, Generation, TextRegions, TokenScores

LABELS = tuple(map(str, range(12)))
WORDS = ("one", "two", "three", "")


def f32(values):
    return np.asarray(values).astype(np.float32)


def classify(rng):
    return Classification(f32(rng.dirichlet(np.ones(12))), LABELS)


def detect(rng):
    corners = rng.uniform(0, 20, (5, 2))
    boxes = f32(np.hstack([corners, corners + 20]))
    return Detections(boxes, f32(rng.random(5)), rng.integers(0, 2, 5).astype(np.int32), LABELS)


def embed(rng):
    return Embedding(f32(rng.normal(size=8)))


def said(rng):
    return Generation(str(rng.choice(WORDS)))


def read(rng):
    return TextRegions(f32(rng.random((2, 4, 2))), tuple(rng.choice(WORDS, 2).tolist()), f32([1, 0.5]))


def scores(rng):
    top = f32(-rng.exponential(1, (6, 3)))
    return TokenScores(f32(-rng.exponential(1, 6)), rng.integers(0, 3, (6, 3)).astype(np.int32), top, 20)


BOXES = TrueBoxes(f32([[5, 5, 25, 25], [10, 0, 30, 20]]), np.array([0, 1], np.int32), np.zeros(2, bool))


every_scorer = pytest.mark.parametrize(
    ("scorer", "make", "truth"),
    [
        (TopOne, classify, 3),
        (AveragePrecision, detect, BOXES),
        (Recall, embed, 1),
        (CharacterErrors, read, "one two"),
        (WordErrors, said, "one two"),
        (ExactMatch, said, ("one", "2")),
        (Perplexity, scores, None),
    ],
)


@every_scorer
@pytest.mark.parametrize("labelled", [True, False])
def test_replayed(sample, scorer, make, truth, labelled):
    rng = np.random.default_rng(5)
    live, replayed = scorer(labelled), scorer(labelled)
    for i in range(30):
        given = sample(f"{i:02}", truth if labelled else None, str(i // 2))
        results = make(rng), make(rng)
        again = []
        for result in results:
            line = json.dumps(json.loads(msgspec.json.encode(to_record(result))))
            again.append(to_result(msgspec.json.decode(line, type=Record), LABELS, "line"))
        assert live.add(given, *results) == replayed.add(given, *again)
    one, two = live.score(), replayed.score()
    assert one.interval_at(1.0, 0.95) == two.interval_at(1.0, 0.95)
    for name in ("metric", "reference", "candidate", "drop", "flips", "agreement", "measures", "slices"):
        assert getattr(one, name) == getattr(two, name)


@every_scorer
@pytest.mark.parametrize("labelled", [True, False])
def test_more_may_follow_a_score_and_in_any_order(sample, scorer, make, truth, labelled):
    rng = np.random.default_rng(6)
    rows = [
        (sample(f"{i:02}", truth if labelled else None, str(i // 2)), make(rng), make(rng)) for i in range(30)
    ]
    once, stepwise = scorer(labelled), scorer(labelled)
    for row in rows:
        once.add(*row)
    for step, i in enumerate(rng.permutation(30)):
        stepwise.add(*rows[i])
        if step % 10 == 9:
            stepwise.score()
    one, two = once.score(), stepwise.score()
    for a, b in [(one.drop, two.drop), (one.agreement, two.agreement), (one.reference, two.reference)]:
        assert a == pytest.approx(b, rel=1e-12)
    first, second = one.interval_at(1.0, 0.99), two.interval_at(1.0, 0.99)
    assert (first.low, first.high) == pytest.approx((second.low, second.high), rel=1e-9)
    assert (one.flips, one.measures, one.slices) == (two.flips, two.measures, two.slices)
