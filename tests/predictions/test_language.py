from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import entropy

from edgekit.bundle.writer import write_bundle
from edgekit.cli import main
from edgekit.data.dataset import open_data
from edgekit.data.sample import Choice
from edgekit.errors import UsageError
from edgekit.evaluate import compare
from edgekit.predictions.contender import open_contender
from edgekit.predictions.language import (
    ANSWER_TOKENS,
    TOP,
    LanguageSide,
    beginning,
    score_text,
    score_together,
)
from edgekit.predictions.prediction import Key
from edgekit.types import Frame
from tests.decoder_files import VOCABULARY, language_manifest, language_members

pytest.importorskip("tokenizers", reason="the extra text")

TEXTS = [f"the hen and her {n} inner terns eat at ten then rest near the tree" for n in range(12)]
QUESTIONS = [
    {"question": "the hen eats at", "choices": ["ten", "the tree", "three"], "answer": "ten"},
    {"question": "then the inner", "choices": ["hen", " tern rests"], "answer": 1},
    {"question": "rest\n", "choices": ["near", "here"], "answer": 0},
] * 4


def write(path, change=lambda made: None, tokenizer=b""):
    members = language_members(change=change)
    members["assets/tokenizer.json"] += tokenizer
    write_bundle(path, language_manifest(members), members)
    return path


def with_noise(made):
    rng = np.random.default_rng(3)
    for name in made:
        if name not in ("cos", "sin"):
            made[name] = made[name] * np.float32(1.1) + rng.normal(
                0, 0.1 * made[name].std(), made[name].shape
            ).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("language")
    write(made / "reference.edge")
    write(made / "candidate.edge", with_noise)
    write(made / "pruned.edge", with_noise, tokenizer=b"\n")
    (made / "texts").mkdir()
    for i, text in enumerate(TEXTS):
        (made / "texts" / f"{i}.txt").write_text(text)
    (made / "questions.jsonl").write_text("\n".join(json.dumps(row) for row in QUESTIONS))
    return made


@pytest.fixture(scope="module")
def sides(folder):
    return [open_contender(folder / f"{name}.edge", threads=1).side for name in ("reference", "candidate")]


def whole(side, text):
    """All log-probabilities of a text, at once."""
    parts = [scores.astype(np.float64) for _, scores in side.model.rows(text)]
    scores = np.concatenate(parts)
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))


def test_divergence_is_that_of_the_whole_vocabulary(sides):
    first, second = score_text(sides, TEXTS[0])
    p, q = (whole(side, TEXTS[0]) for side in sides)
    expected = sum(entropy(np.exp(a), np.exp(b)) for a, b in zip(p, q, strict=True))
    assert expected > 0.5
    assert second.result.divergence == pytest.approx(expected, rel=1e-3)
    assert first.result.divergence is None
    assert first.result.top_index.shape == (len(p), TOP)
    assert first.result.logprob.sum() == pytest.approx(
        sum(row[i] for row, i in zip(p, sides[0].model.tokens(TEXTS[0])[1:], strict=True)), rel=1e-4
    )


def test_each_alone_says_the_same_but_of_the_divergence(sides):
    together = score_text(sides, TEXTS[1])
    for side, one in zip(sides, together, strict=True):
        alone = side.predict(Key(0), "a", lambda: TEXTS[1]).result
        assert alone.divergence is None
        np.testing.assert_allclose(alone.logprob, one.result.logprob, atol=1e-4)
        assert (alone.answer, alone.answer_text) == (one.result.answer, one.result.answer_text)
        assert 0 < len(alone.answer) <= ANSWER_TOKENS


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("one two three four", "one two"),
        ("word" * 200, "word" * 40),
        ("a", "a"),
        ("ab cd", "ab"),
        (" x y", " x"),
    ],
)
def test_both_go_on_behind_whole_words_of_the_first_half(text, wanted):
    assert beginning(text) == wanted


def test_not_together_with_other_tokenizers_or_other_inputs(folder, sides):
    pruned = open_contender(folder / "pruned.edge", threads=1).side
    assert score_together([sides[0], pruned], lambda: TEXTS[0]) is None
    assert score_together(sides, lambda: Choice("a", (" b", " c"))) is None
    assert len(score_together(sides, lambda: TEXTS[0])) == 2


def test_answers_are_scored_by_their_bytes_behind_the_question(sides):
    found = sides[0].predict(Key(0), "a", lambda: Choice("the hen eats at", (" ten", " the tree"))).result
    expected = []
    for answer in (" ten", " the tree"):
        ids = sides[0].model.tokens("the hen eats at" + answer)
        n = len(sides[0].model.tokens("the hen eats at"))
        rows = whole(sides[0], "the hen eats at" + answer)[n - 1 :]
        expected.append(sum(row[i] for row, i in zip(rows, ids[n:], strict=True)) / len(answer))
    np.testing.assert_allclose(found.scores, expected, atol=1e-4)
    assert found.best == int(np.argmax(expected))


def test_pictures_are_refused(sides):
    with pytest.raises(UsageError, match="takes a text, got a picture"):
        sides[0].predict(Key(0), "a", lambda: Frame(np.zeros((8, 8, 3), np.uint8)))


def run(capsys, *args):
    code = main(["validate", *map(str, args), "--json", "--threads", "1"])
    printed = capsys.readouterr()
    assert printed.out, printed.err
    return code, json.loads(printed.out)


def measures(found):
    return {measure["name"]: measure for measure in found["measures"]}


def test_validate_texts(folder, capsys, tmp_path):
    args = folder / "candidate.edge", "--against", folder / "reference.edge", "--data", folder / "texts"
    code, found = run(capsys, *args, "--max-drop", "0.0001%", "--report", tmp_path / "report")
    assert (code, found["metric"], found["verdict"], found["n"]) == (1, "perplexity", "FAIL", 12)
    assert found["candidate"] > found["reference"] * 1.0001
    told = measures(found)
    assert list(told) == [
        "bits_per_byte",
        "kl",
        "token_disagreement",
        "greedy_parted",
        "greedy_same_p25",
        "greedy_same_p50",
        "greedy_same_p75",
    ]
    assert told["kl"]["drop"] > 0.01
    low, high = told["kl"]["interval"]
    assert low < told["kl"]["drop"] < high
    assert 0 < told["greedy_parted"]["drop"] <= 100
    places = [told[f"greedy_same_p{p}"]["drop"] for p in (25, 50, 75)]
    assert places == sorted(places)
    assert {p.name for p in (tmp_path / "report").iterdir()} >= {"report.html", "report.json"}


def test_validate_against_a_recording_tells_a_bound(folder, capsys, tmp_path):
    recording = tmp_path / "reference.predictions"
    data = "--data", folder / "texts"
    run(capsys, folder / "reference.edge", *data, "--record", recording)
    _, live = run(capsys, folder / "candidate.edge", "--against", folder / "reference.edge", *data)
    code, found = run(capsys, folder / "candidate.edge", "--against", recording, *data)
    assert code == 0
    assert found["drop"] == pytest.approx(live["drop"], abs=1e-3)
    told, exact = measures(found), measures(live)
    assert "kl" not in told
    assert 0 < told["kl_at_least"]["drop"] <= exact["kl"]["drop"] + 1e-6
    assert told["greedy_parted"] == exact["greedy_parted"]


def test_validate_another_vocabulary_tells_bits_per_byte(folder, capsys):
    args = folder / "pruned.edge", "--against", folder / "reference.edge", "--data", folder / "texts"
    _, found = run(capsys, *args)
    _, same = run(capsys, folder / "candidate.edge", *args[1:])
    bits = measures(same)["bits_per_byte"]
    assert found["metric"] == "bits_per_byte"
    assert (found["reference"], found["candidate"]) == pytest.approx(
        (bits["reference"], bits["candidate"]), abs=1e-4
    )
    assert found["drop"] == pytest.approx(100 * (bits["candidate"] / bits["reference"] - 1), abs=1e-3)
    low, high = found["interval"]
    assert low < found["drop"] < high
    told = measures(found)
    assert list(told) == ["tokens_per_byte"]
    assert told["tokens_per_byte"]["drop"] == 0


def test_layers_are_refused(folder, capsys):
    args = (
        folder / "candidate.edge",
        "--against",
        folder / "reference.edge",
        "--data",
        folder / "questions.jsonl",
    )
    code, found = run(capsys, *args, "--layers")
    assert (code, found["error"]["message"]) == (2, "layers: not for language models")


def test_validate_multiple_choice(folder, capsys):
    args = (
        folder / "candidate.edge",
        "--against",
        folder / "reference.edge",
        "--data",
        folder / "questions.jsonl",
    )
    _, found = run(capsys, *args)
    assert (found["metric"], found["n"], found["clusters"]) == ("choice_accuracy", 12, 3)
    assert found["interval"][0] <= found["drop"] <= found["interval"][1]
    assert found["reference"] in (
        0.0,
        pytest.approx(100 / 3, abs=1e-3),
        pytest.approx(200 / 3, abs=1e-3),
        100.0,
    )
    assert set(found["flips"]) == {"changed", "right_to_wrong", "wrong_to_right"}


def test_what_a_side_is_follows_from_its_task(folder):
    side = open_contender(folder / "reference.edge", threads=1).side
    assert isinstance(side, LanguageSide)
    assert len(side.tokenizer) == 64
    assert side.model.vocabulary == VOCABULARY
    data = open_data([str(folder / "questions.jsonl")], "generate", (), "text")
    assert data.truth == "label"
    found = compare(side, [side], data).evaluations[0]
    assert (found.metric, found.drop, found.agreement) == ("choice_accuracy", 0.0, 100.0)
