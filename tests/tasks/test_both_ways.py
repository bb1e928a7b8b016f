"""Pictures whose places look at each other both ways: one call of the decoder each."""

from __future__ import annotations

import random

import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from edgekit.engines.protocol import EngineOptions
from edgekit.engines.registry import engine_for
from edgekit.errors import BundleError, DataError
from edgekit.tasks.given import TILE, ImageToken
from edgekit.tasks.settings import Settings
from edgekit.tasks.vision_language import VisionLanguage
from tests.decoder_files import INPUT
from tests.vision_files import (
    BOTH_WAYS,
    GEMMA_FEATURES,
    GEMMA_TILES,
    PLACEHOLDER,
    TOKENS,
    VISION_HEAD,
    picture,
    vision_members,
    vision_variant,
)

pytest.importorskip("tokenizers", reason="the extra text")
pytest.importorskip("PIL", reason="the extra pillow")

SHORT = Settings(max_tokens=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("gemma")
    for path, data in vision_members(gemma=True).items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(data)
    return made


@pytest.fixture
def make(folder):
    def make(decoder=BOTH_WAYS):
        parts = GEMMA_TILES, GEMMA_FEATURES, VISION_HEAD, decoder
        variant = vision_variant(vision_members(gemma=True), *parts)
        return VisionLanguage("tiny", variant, folder, engine_for("onnx"), EngineOptions(threads=1))

    return make


@pytest.fixture
def task(make):
    return make()


def told(task):
    """Sizes of the decoder's calls from now on, and whether they look both ways."""
    session, found = task.decoder._session, []
    whole = session.run
    session.run = lambda feeds: (
        found.append((feeds["inputs_embeds"].shape[1], int(feeds["both_ways"][0]))) or whole(feeds)
    )
    return found


def ask(task, text, *images):
    return task.stream(text, list(images), settings=SHORT).generation


def test_each_picture_is_a_call_of_its_own(task):
    calls, tokens = told(task), task._read("what is it?", [picture(0), picture(1)]).tokens
    ask(task, "what is it?", picture(0), picture(1))
    first = tokens.index(PLACEHOLDER)
    second = tokens.index(PLACEHOLDER, first + TOKENS)
    last = len(tokens) - second - TOKENS
    pictures = [(TOKENS, 1), (second - first - TOKENS, 0), (TOKENS, 1)]
    assert calls[:-3] == [(first, 0), *pictures, *[(16, 0)] * (last // 16), (last % 16, 0)]
    assert calls[-3:] == [(1, 0)] * 3  # the answer


def test_a_second_question_costs_its_own_tokens(task, make):
    first = ask(task, "what is it?", picture(0))
    calls = told(task)
    second = ask(task, "the hen?", picture(0))
    tokens = task._read("the hen?", picture(0)).tokens
    behind = tokens.index(PLACEHOLDER) + TOKENS
    assert second.pace.encoded_tiles == 0
    assert second.pace.reused_tokens >= behind
    assert sum(size for size, _ in calls[:-3]) == len(tokens) - second.pace.reused_tokens
    assert not any(ahead for _, ahead in calls)
    assert second.tokens == ask(make(), "the hen?", picture(0)).tokens != first.tokens


def test_another_picture_replaces_only_itself(task, make):
    turns = [{"role": "system", "content": "a short answer"}, {"role": "user", "content": "what is it?"}]
    ask(task, turns, picture(0))
    other = ask(task, turns, picture(1))
    before = task._read(turns, [picture(1)]).tokens.index(PLACEHOLDER)
    assert before - TILE - 2 < other.pace.reused_tokens <= before - 2
    assert other.tokens == ask(make(), turns, picture(1)).tokens


QUESTIONS = ("what?", "what is the hen?", "then an inner hen", "a", "")


def test_no_answer_depends_on_what_was_asked_before(make):
    task, pictures = make(), [picture(seed) for seed in range(4)]
    fresh = {
        (text, seen): ask(make(), text, *(pictures[i] for i in seen)).tokens
        for text in QUESTIONS
        for seen in ((), (0,), (1,), (0, 1), (0, 2), (3, 3))
    }
    draw = random.Random(0)
    for _ in range(100):
        text, seen = draw.choice(list(fresh))
        assert ask(task, text, *(pictures[i] for i in seen)).tokens == fresh[text, seen]


def test_a_picture_is_whole_or_not_there(task):
    tokens = task._read("a", [picture(0)]).tokens
    place = tokens.index(PLACEHOLDER)
    apart = [*tokens[: place + 1], 5, *tokens[place + 1 :]]
    with pytest.raises(DataError, match="1 tokens in a row stand for pictures, expected 4"):
        ask(task, apart, picture(0))
    doubled = [*tokens[:place], *tokens[place : place + TOKENS] * 2, *tokens[place + TOKENS :]]
    with pytest.raises(DataError, match="8 tokens in a row stand for pictures, expected 4"):
        ask(task, doubled, picture(0), picture(1))
    rows = [ImageToken(b"a", row) for row in range(TOKENS)]
    features = {b"a": np.zeros((TOKENS, 32), np.float32)}
    for items in (rows[1:], rows[::-1], [*rows, ImageToken(b"b", 0)]):
        with pytest.raises(ValueError, match="expected those of one picture"):
            task.decoder.extend(items, (0,), features=features)
    with pytest.raises(ValueError, match="4 places of a picture among 5"):
        task.decoder.extend([5, *rows], (0,), features=features)


def test_graphs_and_manifests_that_do_not_agree(make):
    with pytest.raises(BundleError, match="has the inputs both_ways int32, .* expected inputs_embeds"):
        make(replace(BOTH_WAYS, both_ways=UNSET))
    with pytest.raises(BundleError, match="expected ahead int32"):
        make(replace(BOTH_WAYS, both_ways="ahead"))
    assert INPUT.both_ways is UNSET
