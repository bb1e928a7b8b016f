from __future__ import annotations

import json

import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.tasks.question import Question, text_of
from edgekit.tasks.registry import load
from edgekit.types import Classification, Generation, TextRegions
from tests.decoder_files import language_bundle


def test_the_text_is_put_in_its_place_and_its_braces_are_its_own():
    question = Question("{fields}? {text} ({text})", {"a": "string", "b": "number"})
    assert question.about("x {fields} {text}") == "a, b? x {fields} {text} (x {fields} {text})"
    assert Question().about("as it is") == "as it is"
    assert Question(fields={"total": "number"}).about("x") == "x\n\nGive the total of this text as JSON."
    with pytest.raises(UsageError, match=r"expected \{text\} in it, got 'why'"):
        Question("why")


def test_a_model_answers_the_fields(tmp_path):
    pytest.importorskip("tokenizers", reason="the extra text")
    model = load(language_bundle(tmp_path / "tiny.edge"))
    question = Question("{text}", {"n": "integer"}, max_tokens=30)
    answer = question.ask(model, "he")
    assert question.values(answer) == json.loads(answer.text)
    assert isinstance(question.values(answer)["n"], int)
    assert Question(max_tokens=3).values(Question(max_tokens=3).ask(model, "he")) is None


def test_texts_of_results():
    corners = np.zeros((2, 4, 2), np.float32)
    assert text_of(TextRegions(corners, ("a", "b c"), np.ones(2, np.float32))) == "a\nb c"
    assert text_of(Generation("said")) == "said"
    with pytest.raises(UsageError, match="got Classification"):
        text_of(Classification(np.ones(1, np.float32), ("a",)))
