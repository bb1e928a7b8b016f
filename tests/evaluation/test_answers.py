import pytest

from edgekit.evaluation.answers import ExactMatch, plain_answer, vqa_accuracy
from edgekit.evaluation.outcome import Flips
from edgekit.statistics.paired import tango
from edgekit.statistics.proportion import wilson


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Red Car.", "red car"),
        ("  a   dog ", "dog"),
        ("1,000", "1000"),
        ("red, white", "red white"),
        ("red,white", "red white"),
        ("3.5", "3.5"),
        ("yes. No", "yes no"),
        ("don't", "dont"),
        ("Don’t!", "dont"),
        ("t-shirt", "t shirt"),
        ("Two", "2"),
        ("none", "0"),
        ("ten apples", "10 apples"),
        ("A", "a"),
        ("the", "the"),
        ("", ""),
        ("?!", ""),
        ("ＡＢＣ", "abc"),
    ],
)
def test_plain_answer(text, expected):
    assert plain_answer(text) == expected


@pytest.mark.parametrize(("matches", "expected"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (10, 1)])
def test_vqa_accuracy_as_published(matches, expected):
    people = tuple(["yes"] * matches + ["no"] * (10 - matches))
    assert vqa_accuracy("yes", people) == pytest.approx(expected)


def test_exact_match(sample, said):
    scorer = ExactMatch(labelled=True)
    for i in range(50):
        scorer.add(sample(str(i), ("Cat", "kitten")), said("a cat"), said("Kitten." if i else "dog"))
    score = scorer.score()
    assert (score.metric, score.reference, score.candidate) == ("exact_match", 1.0, 0.98)
    assert score.drop == 0.02
    assert score.flips == Flips(50, 1, 0)
    assert score.agreement == 0
    expected = tango(1, 0, 50)
    found = score.interval_at(1.0, 0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert score.measures == ()


def test_vqa_measure(sample, said):
    people = tuple(["yes"] * 2 + ["no"] * 8)
    scorer = ExactMatch(labelled=True)
    for i in range(20):
        scorer.add(sample(str(i), people), said("no"), said("yes" if i < 5 else "no"))
    (vqa,) = scorer.score().measures
    assert (vqa.name, vqa.unit) == ("vqa_accuracy", "points")
    assert (vqa.reference, vqa.candidate, vqa.drop) == pytest.approx((100, 90, 10))
    assert vqa.interval[0] < 10 < vqa.interval[1]
    scorer.add(sample("x", ("yes",)), said("yes"), said("yes"))
    assert scorer.score().measures == ()


def test_without_answers_it_is_disagreement(sample, said):
    scorer = ExactMatch(labelled=False)
    for i in range(40):
        scorer.add(sample(str(i)), said("A dog."), said("dog" if i >= 4 else "cat"))
    score = scorer.score()
    assert (score.metric, score.drop) == ("disagreement", 0.1)
    assert score.interval_at(1.0, 0.95) == wilson(4, 40)
    assert score.mcnemar_p is None


def test_severity(sample, said):
    scorer = ExactMatch(labelled=True)
    given = sample("1", ("cat",))
    lost = scorer.add(given, said("Cat "), said("dog"))
    other = scorer.add(given, said("dog"), said("cow"))
    same = scorer.add(given, said("cat"), said("the cat"))
    assert [c.severity for c in (lost, other, same)] == [2.0, 1.0, 0.0]
    assert (lost.reference, lost.candidate, lost.truth) == ("Cat", "dog", "cat")


def test_other_results_are_a_bug(sample, chosen, said):
    with pytest.raises(TypeError, match="texts"):
        ExactMatch(True).add(sample("1", ("x",)), said("x"), chosen(0))
