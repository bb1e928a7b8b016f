from __future__ import annotations

import gc
import random
import tracemalloc
from itertools import count

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.engines.protocol import EngineOptions
from edgekit.engines.registry import engine_for
from edgekit.errors import BundleError, DataError, UsageError
from edgekit.tasks.decoder import zeros
from edgekit.tasks.given import TILE, ImageToken
from edgekit.tasks.registry import load
from edgekit.tasks.settings import Settings
from edgekit.tasks.trace import Trace
from edgekit.tasks.vision import KEPT_BYTES, Vision
from edgekit.tasks.vision_language import DESCRIBE, VisionLanguage
from edgekit.types import Frame, Question
from tests.decoder_files import CONTEXT, HEAD_DIM, HIDDEN, INPUT, KV_HEADS
from tests.vision_files import (
    CHAT,
    FEATURES,
    PLACEHOLDER,
    SIZE,
    TILES,
    TOKENS,
    VISION_HEAD,
    picture,
    vision_bundle,
    vision_folder,
    vision_graph,
    vision_members,
    vision_variant,
)

pytest.importorskip("tokenizers", reason="the extra text")
pytest.importorskip("PIL", reason="the extra pillow")

SHORT = Settings(max_tokens=6)
SPLIT = replace(TILES, split=True)
"""A picture of 12 × 9 becomes four tiles and the whole one: 20 tokens, more than a call takes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("vision")
    vision_folder(made)
    return made


@pytest.fixture
def make(folder):
    def make(tiles=TILES, features=FEATURES, head=VISION_HEAD, within=folder, **options):
        variant = vision_variant(vision_members(), tiles, features, head)
        return VisionLanguage(
            "tiny", variant, within, engine_for("onnx"), EngineOptions(threads=1, **options)
        )

    return make


@pytest.fixture
def task(make):
    return make()


def ask(task, text, image=None, settings=SHORT):
    return task.stream(text, image, settings=settings).generation


def whole_scores(folder, given):
    """Scores behind a prompt, by all its embeddings in one call of a decoder of its own."""
    engine, options = engine_for("onnx"), EngineOptions(threads=1)
    (embeddings,) = engine.load(folder / "fp32/embed.onnx", options).run(
        {"input_ids": np.array([given.tokens], np.int64)}
    )
    vision = engine.load(folder / "fp32/vision.onnx", options)
    rows = {tile: vision.run({"pixel_values": pixels()})[0][0] for tile, pixels in given.tiles.items()}
    for place, item in enumerate(given.items):
        if isinstance(item, ImageToken):
            embeddings[0, place] = rows[item.tile][item.row]
    pairs = [(pair.input, pair.output) for pair in INPUT.past]
    decoder = engine.load_decoder(folder / "fp32/decode.onnx", options, pairs)
    decoder.attach(zeros(len(pairs), (1, KV_HEADS, CONTEXT, HEAD_DIM)))
    n = len(given)
    feeds = {
        "inputs_embeds": embeddings,
        "rows": np.array([n - 1], np.int64),
        "seqlens_k": np.array([n - 1], np.int32),
        "total_sequence_length": np.array(n, np.int32),
    }
    return decoder.run(feeds)[0][0]


@pytest.mark.parametrize("tiles", [TILES, SPLIT])
def test_features_take_the_places_of_tokens_and_calls_may_end_inside_a_picture(make, folder, tiles):
    task, trace = make(tiles), Trace()
    given = task._read("the hen", picture(0))
    n = 5 if tiles.split else 1
    assert [isinstance(item, ImageToken) for item in given.items] == [t == PLACEHOLDER for t in given.tokens]
    assert (len(given.tiles), given.shown) == (n, n * TOKENS)
    answer = task.stream("the hen", picture(0), settings=SHORT, trace=trace).generation
    chosen = next(c for c in reversed(trace.calls[: -2 * 5]) if c.role == "decode")
    np.testing.assert_allclose(chosen.outputs[0][0], whole_scores(folder, given), atol=5e-5)
    assert answer.tokens[0] == chosen.outputs[0][0].argmax()
    roles = [call.role for call in trace.calls]
    calls = -(-len(given) // INPUT.chunk)
    assert roles == ["vision"] * n + ["embed", "decode"] * (calls + 5)


def test_a_second_question_costs_its_own_tokens(task, make):
    first = ask(task, "what is it?", picture(0))
    assert (first.pace.tiles, first.pace.encoded_tiles, first.pace.reused_tokens) == (1, 1, 0)
    asked = task._read("the hen?", picture(0))
    second = ask(task, "the hen?", picture(0))
    last = max(place for place, token in enumerate(asked.tokens) if token == PLACEHOLDER)
    assert second.pace.encoded_tiles == 0
    assert second.pace.reused_tokens == (last + 2) // TILE * TILE  # the picture, and the mark behind it
    assert second.tokens == ask(make(), "the hen?", picture(0)).tokens
    assert second.tokens != first.tokens


def test_another_picture_replaces_only_itself(task, make):
    turns = [{"role": "system", "content": "short"}, {"role": "user", "content": "what is it?"}]
    first = ask(task, turns, picture(0))
    before = task._read(turns, picture(0)).tokens.index(PLACEHOLDER) // TILE * TILE
    other = ask(task, turns, picture(1))
    assert (other.pace.reused_tokens, other.pace.encoded_tiles) == (before, 1)
    assert other.tokens == ask(make(), turns, picture(1)).tokens != first.tokens
    again = ask(task, turns, picture(0))
    assert (again.pace.reused_tokens, again.pace.encoded_tiles) == (before, 0)  # its features were kept
    assert again.tokens == first.tokens


def test_of_split_pictures_equal_tiles_are_one(make):
    task = make(SPLIT)
    grey = Frame(np.full((16, 16, 3), 90, np.uint8))
    answer = ask(task, "what?", grey)
    assert (answer.pace.tiles, answer.pace.encoded_tiles) == (1, 1)
    assert task._read("what?", grey).shown == 5 * TOKENS
    assert ask(make(SPLIT), "what?", Frame(grey.pixels[:, :, ::-1].copy())).tokens == answer.tokens


QUESTIONS = ("what?", "what is the hen?", "then an inner hen", "a", "")


@pytest.mark.parametrize("tiles", [TILES, SPLIT])
def test_no_answer_depends_on_what_was_asked_before(make, folder, tiles):
    """150 questions in one process, with fewer kept features than there are pictures."""
    task = make(tiles)
    task.vision = Vision(
        vision_variant(vision_members(), tiles),
        folder,
        engine_for("onnx"),
        EngineOptions(threads=1),
        kept_bytes=7 * TOKENS * HIDDEN * 4,
    )
    pictures = [None, *(picture(seed) for seed in range(5))]
    fresh = {
        (text, seed): ask(make(tiles), text, pictures[seed]).tokens
        for text in QUESTIONS
        for seed in range(len(pictures))
    }
    draw, used = random.Random(0), []
    tracemalloc.start(1)
    for number in range(150):
        text, seed = draw.choice(list(fresh))
        image = pictures[seed] if seed % 2 or seed == 0 else task.picture(pictures[seed])
        assert ask(task, text, image).tokens == fresh[text, seed]
        assert len(task.vision.kept) <= 7
        assert len(task.decoder.items) <= CONTEXT
        if number % 50 == 49:
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert used[2] - used[1] < 20_000


def test_it_is_cancelled_between_tiles_and_calls(make):
    whole = ask(make(SPLIT), "what is it?", picture(0))
    prompt = whole.pace.prompt_tokens
    calls = -(-prompt // INPUT.chunk)
    for asked in range(5 + calls + 2):
        task, left = make(SPLIT), count()
        stop = Settings(max_tokens=6, cancelled=lambda left=left, asked=asked: next(left) >= asked)
        answer = ask(task, "what is it?", picture(0), stop)
        assert answer.finish == "cancelled"
        assert len(answer.tokens) == max(0, asked - 5 - calls + 1)
        assert len(task.vision.kept) == min(asked, 5)
        assert len(task.decoder.items) == min(max(0, asked - 5), calls) * INPUT.chunk or asked >= 5 + calls
        assert ask(task, "what is it?", picture(0)).tokens == whole.tokens


def test_texts_alone_are_answered_as_a_text_model_does(task):
    trace = Trace()
    answer = task("the hen", trace, SHORT)
    assert {call.role for call in trace.calls} == {"embed", "decode"}
    assert answer.pace.tiles == 0
    assert "tiles" not in answer.pace.as_json()
    assert task.scores("then an inner hen").text_bytes == 17


def test_what_is_given_may_be_many_things(task, tmp_path):
    frame = picture(3)
    path = tmp_path / "3.png"
    cv2.imwrite(str(path), frame.pixels[:, :, ::-1])
    expected = task(Question(frame, "what?"), settings=SHORT).tokens
    for image in (frame, frame.pixels, path, str(path), task.picture(path), [path]):
        assert ask(task, "what?", image).tokens == expected
        task.forget()
    described = ask(task, DESCRIBE, frame).tokens
    for shown in (frame, path, task.picture(path)):
        assert task(shown, settings=SHORT).tokens == described
    from PIL import Image

    assert task(Image.fromarray(frame.pixels), settings=SHORT).tokens == described
    tokens = task._read("what?", frame).tokens
    assert ask(task, tokens, frame).tokens == expected


def test_turns_name_the_places_of_pictures(task):
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image"},
        {"type": "text", "text": "b"},
        {"type": "image"},
    ]
    given = task._read([{"role": "user", "content": parts}], [picture(0), picture(1)])
    places = [item.tile for item in given.items if isinstance(item, ImageToken)]
    assert places == [one for seed in (0, 1) for one in task.picture(picture(seed)).identities * TOKENS]
    several = task._read("ab", [picture(0), picture(1)])
    assert [t for t in several.tokens if t == PLACEHOLDER] == [PLACEHOLDER] * 2 * TOKENS
    assert several.tokens.index(PLACEHOLDER) < given.tokens.index(PLACEHOLDER)
    with pytest.raises(DataError, match="its turns name 2 pictures, got 1"):
        ask(task, [{"role": "user", "content": parts}], picture(0))
    with pytest.raises(DataError, match="has no turn of a user"):
        ask(task, [{"role": "system", "content": "a"}], picture(0))


def test_a_model_without_turns_has_pictures_before_the_text(make):
    task = make(head=replace(VISION_HEAD, chat_template=None))
    tokens = task._read("he", picture(0)).tokens
    assert tokens == [258, 274, 275, *[PLACEHOLDER] * TOKENS, 274, 260]
    assert ask(task, "he", picture(0)).pace.prompt_tokens == len(tokens)


@pytest.mark.parametrize("images", [0, 1])
@pytest.mark.parametrize("text", ["what is <image>?", "<global-img>", "<end_of_utterance>"])
def test_marks_that_somebody_types_are_text(task, text, images):
    given = task._read(text, [picture(0)] * images)
    assert given.shown == given.tokens.count(PLACEHOLDER) == images * TOKENS
    assert given.tokens.count(276) == 1  # <end_of_utterance>, which the template writes


@pytest.mark.parametrize(
    ("prompt", "images", "match"),
    [
        ("what is <image>?", 1, "the text has 2 marks <image>, got 1 picture"),
        ("what is <image>?", 0, "the text has 1 mark <image>, got 0 pictures"),
        ("<global-img>", 1, "which only stands around pictures"),
    ],
)
def test_a_text_without_turns_may_not_name_marks(make, prompt, images, match):
    task = make(head=replace(VISION_HEAD, chat_template=None))
    with pytest.raises(DataError, match=match):
        ask(task, prompt, [picture(0)] * images)


@pytest.mark.parametrize(
    ("prompt", "images", "match"),
    [
        ([258, PLACEHOLDER], 1, "tokens that stand for pictures: 1, expected 4, those of 1 picture "),
        ([258, PLACEHOLDER], 0, "tokens that stand for pictures: 1, expected 0, those of 0 pictures"),
        ("h" * 130, 1, r"tokens \(4 of pictures\), the context has room for 128"),
        ([], 0, "expected a text, turns or tokens"),
        (3, 1, "expected a text, turns or tokens, got int"),
        ([{"role": "user", "content": "a"}, 5], 1, "got a mixture"),
        ([{"role": "user", "content": None}], 1, "a turn holds 'None'"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], 1, "a turn holds .*image_url"),
        ([{"role": "user", "content": [{"type": "text", "text": 3}]}], 1, "a turn holds"),
    ],
)
def test_prompts_that_cannot_be(task, prompt, images, match):
    before = ask(task, "he", picture(0))
    with pytest.raises(DataError, match=match):
        ask(task, prompt, [picture(0)] * images)
    assert ask(task, "he", picture(0)).tokens == before.tokens


@pytest.mark.parametrize("image", ["no/such.png", 3, np.zeros((4, 4), np.uint8)])
def test_pictures_that_cannot_be(task, image):
    with pytest.raises(DataError):
        ask(task, "he", image)


def test_memory_is_capped_with_the_graph_of_pictures_and_its_features(make):
    weights = vision_variant(vision_members()).bytes
    assert weights > sum(len(d) for p, d in vision_members().items() if p.endswith(("decode.onnx", ".bin")))
    need = weights + KEPT_BYTES + CONTEXT * 4 * KV_HEADS * HEAD_DIM * 4
    make(memory_cap_bytes=need)
    with pytest.raises(UsageError, match=f"{KEPT_BYTES:,} of features of pictures and .* need {need:,}"):
        make(memory_cap_bytes=need - 1)


def test_graphs_that_do_not_fit_each_other(make, folder, tmp_path):
    vision_folder(tmp_path)
    for changes, match in (
        ({"hidden": HIDDEN + 1}, rf"vision gives rows of {HIDDEN + 1}, embed float32 1×\?×{HIDDEN}"),
        ({"hidden": 0}, f"image_features is float32 1×{TOKENS}×0, expected"),
        ({"tokens": 2 * TOKENS}, f"image_features is float32 1×{2 * TOKENS}×{HIDDEN}"),
    ):
        (tmp_path / "fp32/vision.onnx").write_bytes(vision_graph(**changes))
        with pytest.raises(BundleError, match=match):
            make(within=tmp_path)
    with pytest.raises(BundleError, match="has the inputs pixel_values"):
        make(tiles=replace(TILES, size=2 * SIZE))
    with pytest.raises(BundleError, match="expected 5 twice, the placeholder of pictures"):
        make(features=replace(FEATURES, placeholder=5))
    with pytest.raises(BundleError, match="has the outputs 'image_features', expected other"):
        make(features=replace(FEATURES, tensor="other"))


def test_embeddings_that_are_not_one_a_token(task, monkeypatch):
    session = task.decoder._embed
    run = session.run
    for change in (lambda e: e[:, :-1], lambda e: e[0]):
        monkeypatch.setattr(session, "run", lambda feeds, change=change: [change(run(feeds)[0])])
        with pytest.raises(BundleError, match="embed: gives"):
            ask(task, "he", picture(0))


def test_variants_of_other_graphs_are_refused(folder):
    variant = vision_variant(vision_members())
    engine, options = engine_for("onnx"), EngineOptions(threads=1)
    some = {role: model for role, model in variant.models.items() if role != "vision"}
    with pytest.raises(BundleError, match="expected a graph vision with a tiles input"):
        VisionLanguage("tiny", replace(variant, models=some), folder, engine, options)
    more = {**variant.models, "other": variant.models["vision"]}
    with pytest.raises(BundleError, match="expects the graphs decode, embed, vision, got"):
        VisionLanguage("tiny", replace(variant, models=more), folder, engine, options)


def test_a_bundle_gives_the_task(tmp_path):
    task = load(vision_bundle(tmp_path / "tiny.edge"), options=EngineOptions(threads=1))
    assert isinstance(task, VisionLanguage)
    assert (task.name, task.accepts, list(task.sessions)) == (
        "vision_language", "picture", ["vision", "embed", "decode"],
    )  # fmt: skip
    assert CHAT.startswith("<|start|>")
    assert ask(task, "what?", picture(0)).pace.encoded_tiles == 1
