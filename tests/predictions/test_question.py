from __future__ import annotations

import json

import cv2
import pytest

from edgekit.cli import main
from edgekit.data.dataset import open_data
from edgekit.errors import UsageError
from edgekit.evaluate import compare
from edgekit.predictions.contender import open_contender
from edgekit.predictions.prediction import Key
from edgekit.predictions.question import ANSWER_TOKENS, QuestionSide
from edgekit.types import Question
from tests.vision_files import picture, vision_bundle

pytest.importorskip("tokenizers", reason="the extra text")
pytest.importorskip("PIL", reason="the extra pillow")

TEXTS = ("what?", "the hen?", "then an inner hen")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("questions")
    return [vision_bundle(folder / f"{seed}.edge", seed) for seed in (0, 1)]


@pytest.fixture(scope="module")
def table(bundles, tmp_path_factory):
    """Questions about four pictures; the first bundle has every second answer right."""
    folder = tmp_path_factory.mktemp("table")
    side, rows = open_contender(bundles[0]).side, []
    for seed in range(4):
        cv2.imwrite(str(folder / f"{seed}.png"), picture(seed).pixels)
        for text in TEXTS:
            asked = Question(picture(seed), text)
            asked = Question(type(asked.frame)(asked.frame.pixels, "bgr"), text)
            answer = side.predict(Key(len(rows)), "", lambda asked=asked: asked).result.text
            right = answer if len(rows) % 2 else "something else"
            rows.append({"image": f"{seed}.png", "question": text, "answer": right})
    path = folder / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_answers_are_greedy_and_follow_from_the_question_alone(bundles):
    side = open_contender(bundles[0]).side
    assert isinstance(side, QuestionSide)
    assert (side.task, side.accepts, side.name) == ("vision_language", "question", "tiny-vlm")
    asked = [Question(picture(seed), text) for seed in (0, 1) for text in TEXTS]
    first = [side.predict(Key(i), "", lambda one=one: one) for i, one in enumerate(asked)]
    again = [side.predict(Key(i), "", lambda one=one: one) for i, one in reversed(list(enumerate(asked)))]
    assert [p.result.text for p in first] == [p.result.text for p in reversed(again)]
    assert len({p.result.text for p in first}) == len(asked)
    assert first[0].result.finish is None  # as it is recorded
    assert first[0].ms > 0
    assert ANSWER_TOKENS == 32
    with pytest.raises(UsageError, match="takes questions about pictures, got a picture"):
        side.predict(Key(0), "a", lambda: picture(0))


def test_the_share_of_right_answers_drops(bundles, table):
    sides = [open_contender(path).side for path in bundles]
    data = open_data([str(table)], "vision_language", (), sides[0].accepts)
    assert (len(data), data.truth) == (12, "answers")
    found = compare(sides[0], [sides[0], sides[1]], data)
    same, other = found.evaluations
    assert (same.metric, same.n, same.clusters, same.unit) == ("exact_match", 12, 4, "source")
    assert (same.reference, same.candidate, same.drop, same.agreement) == (50.0, 50.0, 0.0, 100.0)
    assert (other.candidate, other.drop, other.agreement) == (0.0, 50.0, 0.0)
    assert other.interval[0] <= 50 <= other.interval[1]
    assert found.matrix.percent[0] == (100.0, 100.0, 0.0)


def test_validate_measures_a_bundle_on_a_table_and_against_a_recording(bundles, table, tmp_path, capsys):
    asked = ["--data", str(table), "--max-drop", "10%", "--json"]
    kept = str(tmp_path / "kept.predictions")
    assert main(["validate", str(bundles[0]), "--data", str(table), "--record", kept]) == 0
    capsys.readouterr()
    for reference in (str(bundles[0]), kept):
        assert main(["validate", str(bundles[1]), "--against", reference, *asked]) == 1
        made = json.loads(capsys.readouterr().out)
        assert (made["metric"], made["n"], made["drop"]) == ("exact_match", 12, 50.0)
        assert (made["agreement"], made["verdict"]) == (0.0, "INCONCLUSIVE")  # of four pictures
    assert main(["validate", str(bundles[0]), "--against", kept, *asked]) == 1
    assert json.loads(capsys.readouterr().out)["agreement"] == 100.0
