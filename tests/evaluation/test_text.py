import pytest

from edgekit.errors import DataError
from edgekit.evaluation.outcome import Flips
from edgekit.evaluation.text import CharacterErrors, plain_lines
from edgekit.statistics.proportion import unseen_upper


def test_plain_lines():
    assert plain_lines(" a\n \n b\t\u00a0c ") == ["a", "b c"]
    assert plain_lines("e\u0301") == ["\u00e9"]


def test_character_error_rate(sample, read):
    scorer = CharacterErrors(labelled=True)
    scorer.add(sample("1", "hello world"), read("hello", "world"), read("helo world"))
    scorer.add(sample("2", "abcdefghi"), read("abcdefghx"), read("abcdefghi"))
    scorer.add(sample("3", ""), read(), read("z"))
    score = scorer.score()
    assert (score.metric, score.clusters) == ("cer", 3)
    assert (score.reference, score.candidate, score.drop) == pytest.approx((1 / 20, 2 / 20, 1 / 20))
    assert score.flips == Flips(changed=3, right_to_wrong=2, wrong_to_right=1)
    assert score.agreement == 0
    found = score.interval_at(1.0)
    assert found.low < 0 < 0.05 < found.high
    assert score.mcnemar_p == 1.0


def test_without_truth_the_reference_is_the_text(sample, read):
    scorer = CharacterErrors(labelled=False)
    for i in range(30):
        scorer.add(sample(str(i)), read("abcdefghij"), read("abcdefghi" if i < 3 else "abcdefghij"))
    score = scorer.score()
    assert (score.metric, score.reference, score.candidate) == ("disagreement", 0.0, pytest.approx(0.01))
    assert score.flips == Flips(3, None, None)
    assert score.interval_at(1.0).low >= 0
    assert score.interval_at(1.0).high >= 0.01 + unseen_upper(30)
    assert score.mcnemar_p is None


def test_severity_counts_what_got_worse(sample, read):
    scorer = CharacterErrors(labelled=True)
    worse = scorer.add(sample("1", "abcd"), read("abcd"), read("ab"))
    better = scorer.add(sample("2", "abcd"), read("ab"), read("abcd"))
    assert (worse.changed, worse.severity, worse.truth) == (True, 0.5, "abcd")
    assert (better.changed, better.severity) == (True, 0.0)


@pytest.mark.parametrize(
    ("labelled", "whose"), [(True, "the true texts have"), (False, "the reference reads")]
)
def test_no_character_at_all(sample, read, labelled, whose):
    scorer = CharacterErrors(labelled)
    scorer.add(sample("1", "" if labelled else None), read(), read("x"))
    with pytest.raises(DataError, match=f"{whose} no character in 1 samples"):
        scorer.score()


def test_other_results_are_a_bug(sample, chosen, read):
    with pytest.raises(TypeError, match="text regions"):
        CharacterErrors(True).add(sample("1", "x"), read("x"), chosen(0))
