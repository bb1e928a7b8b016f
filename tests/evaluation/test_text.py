import jiwer
import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.evaluation.outcome import Flips
from edgekit.evaluation.text import CharacterErrors, WordErrors, plain_lines, spoken_line
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
    wer, exact = score.measures
    assert (wer.name, wer.unit) == ("wer", "points")
    assert (wer.reference, wer.candidate, wer.drop) == pytest.approx((100 / 3, 200 / 3, 100 / 3))
    assert (exact.name, exact.reference, exact.candidate) == pytest.approx(
        ("exact_match", 66.666667, 33.333333)
    )
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


def garbled(rng, words):
    """The words with some lost, doubled or misspelt."""
    kept = [w for w in words if rng.random() > 0.1]
    return " ".join(w[: rng.integers(1, len(w) + 1)] if rng.random() < 0.2 else w for w in kept)


def test_rates_are_those_of_jiwer(sample, read, said):
    rng = np.random.default_rng(3)
    vocabulary = ["".join(rng.choice(list("abcdeé"), rng.integers(1, 8))) for _ in range(60)]
    truths, ones, twos = [], [], []
    for _ in range(50):
        words = rng.choice(vocabulary, rng.integers(3, 20)).tolist()
        truths.append(" ".join(words))
        ones.append(garbled(rng, words) or "x")
        twos.append(garbled(rng, words[::-1]) or "x")
    pages, speech = CharacterErrors(True), WordErrors(True)
    for i in range(50):
        pages.add(sample(str(i), truths[i]), read(ones[i]), read(twos[i]))
        speech.add(sample(str(i), truths[i]), said(ones[i]), said(twos[i]))
    by_character, by_word = pages.score(), speech.score()
    cer = jiwer.cer(truths, ones), jiwer.cer(truths, twos)
    wer = jiwer.wer(truths, ones), jiwer.wer(truths, twos)
    assert (by_character.metric, by_word.metric) == ("cer", "wer")
    assert (by_character.reference, by_character.candidate) == pytest.approx(cer)
    assert (by_word.reference, by_word.candidate) == pytest.approx(wer)
    assert by_word.drop == pytest.approx(wer[1] - wer[0])
    words, characters = by_character.measures[0], by_word.measures[0]
    assert (words.reference, words.candidate) == pytest.approx((100 * wer[0], 100 * wer[1]), abs=1e-5)
    assert (characters.reference, characters.candidate) == pytest.approx(
        (100 * cer[0], 100 * cer[1]), abs=1e-5
    )
    assert words.interval[0] < words.drop < words.interval[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello world"]),
        ("don\u2019t  DON'T", ["dont dont"]),
        ("well-known\nlines", ["well known lines"]),
        ("\u00bfQu\u00e9?", ["qu\u00e9"]),
        ("... !", []),
        ("", []),
    ],
)
def test_speech_has_neither_case_nor_punctuation(text, expected):
    assert spoken_line(text) == expected


def test_words_of_a_line_found_in_two_pieces_cost_nothing(sample, read):
    scorer = CharacterErrors(labelled=True)
    scorer.add(
        sample("1", "one two\nthree four"), read("one", "two", "three four"), read("three four", "one two")
    )
    wer = scorer.score().measures[0]
    assert (wer.reference, wer.candidate) == (0.0, 0.0)


def test_transcripts_without_truth(sample, said):
    scorer = WordErrors(labelled=False)
    for i in range(20):
        scorer.add(
            sample(str(i)), said("One, two three four."), said("one two three four" if i else "one two")
        )
    score = scorer.score()
    assert (score.metric, score.drop, score.measures) == ("disagreement", pytest.approx(2 / 80), ())
    assert score.flips == Flips(1, None, None)


def test_the_primary_counts_one_unit_only(sample, read, said):
    pages, speech = CharacterErrors(True).primary(), WordErrors(True).primary()
    pages.add(sample("1", "ab"), read("ab"), read("a"))
    speech.add(sample("1", "a b"), said("a b"), said("a"))
    assert [(s.score().metric, s.score().drop, s.score().measures) for s in (pages, speech)] == [
        ("cer", 0.5, ()),
        ("wer", 0.5, ()),
    ]


def test_no_word_at_all(sample, said, read):
    scorer = WordErrors(labelled=True)
    scorer.add(sample("1", "?"), said(""), said("x"))
    with pytest.raises(DataError, match="no word in 1 samples"):
        scorer.score()
    with pytest.raises(TypeError, match="expected a text"):
        scorer.add(sample("1", "x"), read("x"), said("x"))
