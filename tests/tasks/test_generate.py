from __future__ import annotations

import json
import threading
from itertools import count

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.engines.protocol import EngineOptions
from edgekit.engines.registry import engine_for
from edgekit.errors import BundleError, DataError, UsageError
from edgekit.processing.grammar import choice, json_object
from edgekit.processing.sampling import Sampling
from edgekit.tasks.decoder import zeros
from edgekit.tasks.generate import Generate
from edgekit.tasks.registry import load
from edgekit.tasks.settings import Settings
from edgekit.tasks.trace import Trace
from tests.decoder_files import (
    CONTEXT,
    END,
    HEAD,
    HEAD_DIM,
    INPUT,
    KV_HEADS,
    VOCABULARY,
    language_bundle,
    language_folder,
    language_members,
    language_variant,
)

pytest.importorskip("tokenizers", reason="the extra text")

WARM = Sampling(temperature=1.0, seed=7)
TEXT = "the inner hen"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("language")
    language_folder(made)
    return made


@pytest.fixture
def make(folder):
    def make(head=HEAD, given=INPUT, **options):
        variant = language_variant(language_members(), head, given)
        return Generate("tiny", variant, folder, engine_for("onnx"), EngineOptions(threads=1, **options))

    return make


@pytest.fixture
def task(make):
    return make(replace(HEAD, ends=()))


def all_scores(task, tokens, chunk):
    task.forget()
    parts = [tokens[at : at + chunk] for at in range(0, len(tokens), chunk)]
    return np.concatenate([task.decoder.extend(part, range(len(part))) for part in parts])


def test_chunked_prefill_equals_one_token_at_a_time(task, make):
    tokens = np.random.default_rng(0).integers(0, 256, CONTEXT).tolist()
    single = all_scores(task, tokens, 1)
    for chunk in (16, 5):
        np.testing.assert_allclose(all_scores(task, tokens, chunk), single, atol=5e-5)
    whole = all_scores(make(given=replace(INPUT, chunk=CONTEXT)), tokens, CONTEXT)
    np.testing.assert_allclose(whole, single, atol=5e-5)


def test_a_buffer_as_long_as_needed_gives_the_same_scores(make):
    tokens = list(range(40))
    long, short = (all_scores(make(context=n), tokens, 16) for n in (CONTEXT, 40))
    np.testing.assert_array_equal(long, short)


def test_greedy_takes_the_best_token_each_time(task):
    prompt = [258, 3, 1, 4, 1, 5]
    expected = list(prompt)
    for _ in range(6):
        expected.append(int(all_scores(task, expected, 1)[-1].argmax()))
    task.forget()
    answer = task(prompt, settings=Settings(max_tokens=6))
    assert answer.tokens == tuple(expected[6:])
    assert answer.finish == "length"
    assert answer.text == task.words.decode(expected[6:]).rstrip("\ufffd")


def test_a_prompt_that_goes_on_is_not_read_again(task, make):
    first = [258, *range(20)]
    answer = task(first, settings=Settings(max_tokens=4))
    following = [*first, *answer.tokens, 7, 8]
    again = task(following, settings=Settings(max_tokens=8))
    assert again.pace.reused_tokens == 24  # the last made token was never given
    fresh = make(replace(HEAD, ends=()))(following, settings=Settings(max_tokens=8))
    assert fresh.tokens == again.tokens
    assert fresh.pace.reused_tokens == 0
    once_more = task(following, settings=Settings(max_tokens=8))
    assert (once_more.pace.reused_tokens, once_more.tokens) == (24, fresh.tokens)
    other = task([258, 0, 1, 99], settings=Settings(max_tokens=8))
    assert other.pace.reused_tokens == 0
    task.forget()
    assert task([258, 0, 1, 99], settings=Settings(max_tokens=8)).tokens == other.tokens


def test_the_same_seed_gives_the_same_text(task):
    texts = [task(TEXT, settings=Settings(max_tokens=12, sampling=WARM)).tokens for _ in range(2)]
    other = task(TEXT, settings=Settings(max_tokens=12, sampling=Sampling(temperature=1.0, seed=8))).tokens
    assert texts[0] == texts[1] != other


def test_pieces_are_the_text_and_hold_no_half_character(task):
    reply = task.stream(TEXT, settings=Settings(max_tokens=30, sampling=WARM))
    pieces = list(reply)
    answer = reply.generation
    assert "".join(pieces) == answer.text
    assert len(answer.tokens) == 30
    assert all(pieces)
    assert answer.text == task.words.decode(answer.tokens).rstrip("\ufffd")


def test_a_text_is_a_turn_where_the_model_knows_turns(task, make):
    turn = [{"role": "user", "content": "he"}]
    assert task.words.text(turn) == "<|start|>user\nhe<|end|>\n<|start|>assistant\n"
    assert task.words.prompt("he") == task.words.prompt(turn)
    plain = make(replace(HEAD, chat_template=None))
    assert plain.words.prompt("he") == [258, 260]
    with pytest.raises(DataError, match="knows no turns"):
        plain(turn)


def test_an_end_token_ends_the_answer_and_is_no_part_of_it(task, make):
    whole = task(TEXT, settings=Settings(max_tokens=5))
    tokens = whole.tokens
    ticks = count(0, 1_000_000)
    ended = make(replace(HEAD, ends=(tokens[3],))).stream(TEXT, now_ns=lambda: next(ticks)).generation
    assert ended.finish == "end"
    assert ended.tokens == tokens[: tokens.index(tokens[3])]
    assert (whole.pace.decode_calls, ended.pace.decode_calls) == (4, tokens.index(tokens[3]))
    assert ended.pace.decode_tokens_per_s == 1e3  # a millisecond for each, and for the one that ends it


def test_stop_strings_end_the_text_before_them(task):
    whole = task(TEXT, settings=Settings(max_tokens=20, sampling=WARM)).text
    for length in (1, 3):
        stop = whole[6 : 6 + length]
        reply = task.stream(TEXT, settings=Settings(max_tokens=20, sampling=WARM, stop=("never seen", stop)))
        pieces = list(reply)
        assert "".join(pieces) == reply.generation.text == whole[: whole.index(stop)]
        assert reply.generation.finish == "stop"


def test_a_full_context_ends_the_answer(make):
    short = make(replace(HEAD, ends=()), context=10)
    answer = short([258, *range(6)])
    assert (answer.finish, len(answer.tokens)) == (
        "context",
        4,
    )  # three of them are remembered, the last is not
    full = short(list(range(10)))
    assert (full.finish, len(full.tokens)) == ("context", 1)
    with pytest.raises(DataError, match="prompt: 11 tokens, the context has room for 10"):
        short(list(range(11)))


def test_it_is_cancelled_between_calls(task):
    asked = count()
    answer = task(TEXT, settings=Settings(max_tokens=20, cancelled=lambda: next(asked) >= 4))
    assert answer.finish == "cancelled"
    assert 0 < len(answer.tokens) < 4
    event = threading.Event()
    event.set()
    task.forget()
    none = task(TEXT, settings=Settings(cancelled=event.is_set))
    assert (none.text, none.tokens, none.finish) == ("", (), "cancelled")
    assert (none.pace.first_token_ms, none.pace.prefill_tokens_per_s) == (0.0, None)


def test_memory_is_capped_before_it_is_taken(make):
    weights = language_variant(language_members()).bytes
    token_bytes = 4 * KV_HEADS * HEAD_DIM * 4
    need = weights + CONTEXT * token_bytes
    make(memory_cap_bytes=need)
    with pytest.raises(UsageError, match=f"need {need:,} bytes, the cap is {need - 1:,}") as caught:
        make(memory_cap_bytes=need - 1)
    assert caught.value.remedy == f"a context of up to {CONTEXT - 1} tokens fits"
    make(memory_cap_bytes=need - 1, context=CONTEXT - 1)
    with pytest.raises(UsageError) as caught:
        make(memory_cap_bytes=weights)
    assert caught.value.remedy == "no context fits: choose a smaller variant"


def test_a_context_beyond_the_tables_is_refused(make):
    with pytest.raises(UsageError, match=f"expected 2 to {CONTEXT} tokens"):
        make(context=CONTEXT + 1)


def test_scores_are_the_log_probabilities_of_the_text(task):
    text = "then an inner hen"
    ids = task.words.tokens(text)
    found = task.scores(text, top=3)
    raw = all_scores(task, ids, 1)[:-1].astype(np.float64)
    expected = raw - np.log(np.exp(raw).sum(1, keepdims=True))
    np.testing.assert_allclose(found.logprob, expected[np.arange(len(ids) - 1), ids[1:]], atol=1e-4)
    np.testing.assert_array_equal(found.top_index, np.argsort(-expected, 1)[:, :3])
    np.testing.assert_allclose(found.top_logprob, -np.sort(-expected, 1)[:, :3], atol=1e-4)
    assert found.text_bytes == len(text)
    assert task.scores(text, top=VOCABULARY).top_index.shape == (len(ids) - 1, VOCABULARY)


def test_what_follows_a_text_is_scored_and_the_text_is_not_read_again(task):
    before, ids = task.words.tokens("the hen"), task.words.tokens("the hen and her tern")
    raw = all_scores(task, ids, 1)[:-1].astype(np.float64)
    expected = (raw - np.log(np.exp(raw).sum(1, keepdims=True)))[np.arange(len(ids) - 1), ids[1:]]
    task.forget()
    np.testing.assert_allclose(
        task.follow("the hen", " and her tern"), expected[len(before) - 1 :], atol=1e-4
    )
    read = []
    extend = task.decoder.extend
    task.decoder.extend = lambda tokens, rows, trace=None: (
        read.append(len(tokens)) or extend(tokens, rows, trace)
    )
    again = task.follow("the hen", " and her tern")
    np.testing.assert_allclose(again, expected[len(before) - 1 :], atol=1e-4)
    assert sum(read) == len(ids) - len(before)
    assert len(task.follow("the t", "hen")) == 4  # " t" alone is one token, " then" is " ", "th", "e", "n"
    with pytest.raises(DataError, match="no token that follows"):
        task.follow("the hen", "")
    with pytest.raises(DataError, match="the context has room"):
        task.follow("the hen" * CONTEXT, " tern")


def test_scores_come_in_batches_of_any_size(task):
    text = "then an inner hen"
    assert task.batch == min(task.decoder.chunk, 2**24 // VOCABULARY)
    whole = list(task.rows(text))
    parts = list(task.rows(text, batch=3))
    assert [len(targets) for targets, _ in parts[:-1]] == [3] * (len(parts) - 1)
    for k in (0, 1):
        joined = [np.concatenate([step[k] for step in steps]) for steps in (whole, parts)]
        np.testing.assert_allclose(*joined, atol=5e-5)
    assert (task.capacity, task.vocabulary, task.tokens("a")) == (
        CONTEXT,
        VOCABULARY,
        task.words.tokens("a"),
    )


def test_long_texts_are_scored_in_windows_that_know_nothing_of_each_other(task, make):
    text = "the hen and her inner tern" * 6
    found = task.scores(text, window=20)
    ids = task.words.tokens(text)
    assert len(found.logprob) == len(ids) - 1  # each but the model's own first token
    second = [258, *ids[20:39]]
    raw = all_scores(task, second, 1)[:-1].astype(np.float64)
    expected = raw - np.log(np.exp(raw).sum(1, keepdims=True))
    np.testing.assert_allclose(found.logprob[19:38], expected[np.arange(19), second[1:]], atol=1e-4)
    bare = make(replace(HEAD, first=None))
    assert len(bare.scores(text, window=20).logprob) == len(ids) - 1 - -(-(len(ids) - 1) // 20)
    with pytest.raises(DataError, match="no token that follows"):
        bare.scores("a")


def test_a_trace_has_the_scores_and_no_keys_or_values(task):
    trace = Trace()
    task([258, 1, 2], trace, Settings(max_tokens=3))
    assert [call.role for call in trace.calls] == ["embed", "decode"] * 3
    assert [name for call in trace.calls for name, _ in call.told] == ["logits"] * 3


def test_a_prompt_of_nothing_is_refused(task):
    with pytest.raises(DataError, match="expected a text, turns or tokens"):
        task([])
    with pytest.raises(DataError, match="expected tokens of 0 to 299, got 5 to 300"):
        task([5, 300])


def test_a_bundle_gives_the_task(tmp_path):
    task = load(language_bundle(tmp_path / "tiny.edge"), options=EngineOptions(threads=1))
    assert isinstance(task, Generate)
    assert task(TEXT, settings=Settings(max_tokens=3)).pace.prompt_tokens == len(task.words.prompt(TEXT))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"rows": "row"}, "has the inputs"),
        ({"kv_heads": 1}, "expected a buffer float32 1×2×\\?×16"),
        ({"past": INPUT.past[:2]}, "has the inputs"),
        ({"tensor": "ids", "takes": "ids"}, "expected ids int64"),
    ],
)
def test_graphs_that_are_not_what_the_manifest_says(make, changes, match):
    from edgekit.errors import EdgekitError

    with pytest.raises(EdgekitError, match=match):
        make(given=replace(INPUT, **changes))


def test_scores_of_another_vocabulary_are_refused(make):
    with pytest.raises(BundleError, match=r"logits: expected float32 \(1, 299\)"):
        make(replace(HEAD, vocabulary=VOCABULARY - 1))([1, 2])


FIELDS = {"name": "string", "n": "integer", "ok": "boolean"}


@pytest.mark.parametrize("seed", range(6))
def test_a_json_object_always_parses_however_little_may_be_said(task, seed):
    grammar = json_object(FIELDS)
    least = int(grammar.distance[0])
    for most in (least, least + 3, least + 25):
        settings = Settings(most, Sampling(temperature=3.0, seed=seed), grammar=grammar)
        answer = task("he", settings=settings)
        found = json.loads(answer.text)
        assert list(found) == list(FIELDS)
        assert isinstance(found["name"], str)
        assert isinstance(found["n"], int)
        assert isinstance(found["ok"], bool)
        assert answer.finish == "end"
        assert len(answer.tokens) <= most
    with pytest.raises(UsageError, match=f"may need {least} tokens, {least - 1} may be made"):
        task("he", settings=Settings(least - 1, grammar=grammar))


def test_a_choice_is_made(make):
    task = make(replace(HEAD, ends=(END,)))
    texts = ("red", "green", "green tea")
    made = {
        task("he", settings=Settings(20, Sampling(temperature=2.0, seed=seed), grammar=choice(texts))).text
        for seed in range(20)
    }
    assert made <= set(texts)
    assert len(made) > 1
    assert task("he", settings=Settings(5, grammar=choice(["red", "green"]))).finish == "end"


def test_the_context_limits_a_constrained_answer_as_well(make):
    grammar = choice(["red"])
    short = make(replace(HEAD, ends=()), context=10)
    assert short(list(range(8)), settings=Settings(grammar=grammar)).text == "red"
    with pytest.raises(UsageError, match="may need 3 tokens, 2 may be made"):
        short(list(range(9)), settings=Settings(grammar=grammar))


def test_a_buffer_that_nobody_has_memory_for_is_refused_before_it_is_taken():
    with pytest.raises(UsageError, match="more than this machine has") as caught:
        zeros(2, (1, 1024, 131_072, 2**30))
    assert caught.value.remedy == "choose a smaller context"
    made = zeros(2, (1, 2, 3, 4))
    made[1][:] = 1
    assert [array.shape for array in made] == [(1, 2, 3, 4)] * 2
    assert made[0].sum() == 0


def test_an_answer_is_not_mixed_with_another(task):
    reply = task.stream("he", settings=Settings(max_tokens=20, sampling=WARM))
    next(reply)
    other = task("the", settings=Settings(max_tokens=4))
    with pytest.raises(UsageError, match="given up: the model was used for something else meanwhile"):
        list(reply)
    task.forget()
    assert task("the", settings=Settings(max_tokens=4)).tokens == other.tokens


@pytest.mark.parametrize(
    "use",
    [
        lambda task: task.forget(),
        lambda task: task.scores("the hen"),
        lambda task: task.follow("the", " hen"),
    ],
)
def test_an_answer_does_not_go_on_with_what_is_no_longer_remembered(task, use):
    reply = task.stream("he", settings=Settings(max_tokens=20, sampling=WARM))
    next(reply)
    use(task)
    with pytest.raises(UsageError, match="given up: the model was used for something else meanwhile"):
        list(reply)
    with pytest.raises(UsageError, match="failed before it was whole"):
        _ = reply.generation
