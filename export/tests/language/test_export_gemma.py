"""``edgekit export`` of Gemma 3 with eyes: the places of a picture look at each other both ways."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.bundle.reader import open_bundle  # noqa: E402
from edgekit.cli import main  # noqa: E402
from edgekit.selftest import selftest  # noqa: E402
from edgekit.tasks.registry import load  # noqa: E402
from edgekit.tasks.settings import Settings  # noqa: E402
from edgekit.tasks.trace import Trace  # noqa: E402
from edgekit_export.architectures.shape import EMBEDDING, MATRICES  # noqa: E402
from edgekit_export.data.objects import draw_objects  # noqa: E402
from edgekit_export.language.calibrated import numbered  # noqa: E402
from edgekit_export.quantize.decoder import decode_layer  # noqa: E402
from edgekit_export.quantize.text_stream import (  # noqa: E402
    dense,
    embedded,
    last_norm,
    layer_norms,
    with_features,
)
from edgekit_export.sources.text_source import text_source  # noqa: E402
from export.tests.sources.vision_checkpoints import (  # noqa: E402
    GEMMA_TEMPLATE,
    SOFT,
    tiny_gemma3_pictures,
    tokenizer,
    write_vision_folder,
)

TOKENS = 16
IMAGE = {"type": "image"}


def text(words):
    return {"type": "text", "text": words}


def turn(*parts):
    return [{"role": "user", "content": list(parts)}]


LONG = "and the other one in the middle of it"
PROMPTS = {
    "one picture": (turn(IMAGE, text("what is this?")), (0,)),
    "text before, between and behind": (turn(text(LONG), IMAGE, text("and then"), IMAGE, text(LONG)), (1, 2)),
    "one picture twice, side by side": (turn(IMAGE, IMAGE, text("a")), (3, 3)),
    "none": (turn(text(LONG)), ()),
    "behind an answer": (
        [*turn(IMAGE, text("a")), {"role": "assistant", "content": [text("b")]}, *turn(IMAGE, text("the"))],
        (4, 5),
    ),
}


@pytest.fixture(scope="module")
def network():
    return tiny_gemma3_pictures()


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    return write_vision_folder(network, tmp_path_factory.mktemp("gemma") / "tiny")


@pytest.fixture(scope="module")
def out(folder, tmp_path_factory):
    made = tmp_path_factory.mktemp("made") / "tiny.edge"
    args = ["export", str(folder), "-o", str(made), "--context", "192", "--recipe", "int8,int4"]
    assert main(args) == 0
    return made


def processed(turns, pictures):
    """Tokens and pixels as transformers' own processor makes them."""
    from PIL import Image
    from transformers import PreTrainedTokenizerFast
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
    from transformers.models.gemma3.processing_gemma3 import Gemma3Processor

    images = Gemma3ImageProcessorPil(size={"height": 64, "width": 64})
    special = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": SOFT}
    words = PreTrainedTokenizerFast(tokenizer_object=tokenizer(SOFT), extra_special_tokens=special)
    made = Gemma3Processor(images, words, chat_template=GEMMA_TEMPLATE, image_seq_length=TOKENS)
    given = [Image.fromarray(picture) for picture in pictures]
    written = made.apply_chat_template(turns, add_generation_prompt=True)
    return made(text=written, images=[given] if given else None, return_tensors="pt")


def answered(task, turns, pictures, tokens=8):
    """Tokens of an answer, and scores of the first."""
    trace = Trace()
    made = task.stream(turns, list(pictures), settings=Settings(max_tokens=tokens), trace=trace).generation
    scores = [output for call in trace.calls if call.role == "decode" for _, output in call.told]
    return list(made.tokens), scores[-len(made.tokens) - (made.finish == "end")][0], made


@pytest.mark.parametrize("name", PROMPTS)
def test_full_precision_answers_as_transformers_does(network, out, name):
    turns, seeds = PROMPTS[name]
    pictures = [draw_objects(seed) for seed in seeds]
    given = processed(turns, pictures)
    task = load(out.with_suffix(".reference.edge"))
    assert given["input_ids"].shape[1] > 12  # the window of five of six layers
    assert list(task.given(turns, pictures).tokens) == given["input_ids"][0].tolist()
    with torch.no_grad():
        wanted = network(**given).logits[0, -1].numpy()
        made = network.generate(**given, max_new_tokens=8, do_sample=False)[0]
    tokens, scores, _ = answered(task, turns, pictures)
    assert np.abs(scores - wanted).max() <= 1e-4
    theirs = made[given["input_ids"].shape[1] :].tolist()
    assert tokens == theirs[: next((i for i, token in enumerate(theirs) if token == 3), len(theirs))]


def test_places_of_pictures_see_those_behind_them(out):
    """What is measured above would be missed by a graph that looks back only."""
    turns, seeds = PROMPTS["text before, between and behind"]
    pictures = [draw_objects(seed) for seed in seeds]
    task = load(out.with_suffix(".reference.edge"))
    right = answered(task, turns, pictures)[1]
    session, whole = task.decoder._session, task.decoder._session.run
    session.run = lambda feeds: whole({**feeds, "both_ways": np.zeros(1, np.int32)})
    task.forget()
    assert np.abs(answered(task, turns, pictures)[1] - right).max() > 0.01


def test_a_picture_is_one_call_and_text_is_cut_around_it(out):
    turns, seeds = PROMPTS["text before, between and behind"]
    pictures, task = [draw_objects(seed) for seed in seeds], load(out)
    sizes = []
    whole = task.decoder._session.run
    task.decoder._session.run = lambda feeds: (
        sizes.append((feeds["inputs_embeds"].shape[1], int(feeds["both_ways"][0]))) or whole(feeds)
    )
    tokens = answered(task, turns, pictures, tokens=1)[0]
    found = list(task.given(turns, pictures).tokens)
    first = found.index(288)
    second = first + TOKENS + found[first + TOKENS :].index(288)
    between = second - first - TOKENS
    wanted = [(first, 0), (TOKENS, 1), (between, 0), (TOKENS, 1), (len(found) - second - TOKENS, 0)]
    assert len(tokens) == 1
    assert sizes == wanted


@pytest.mark.parametrize("variant", ["int8", "int4"])
def test_no_answer_depends_on_what_was_asked_before(out, variant):
    task, pictures = load(out, variant), [draw_objects(seed) for seed in range(3)]
    rng = np.random.Generator(np.random.PCG64(5))
    reused = []
    for _ in range(12):
        words = [LONG[: int(n)] for n in rng.integers(1, len(LONG), 3)]
        seen = rng.integers(0, 3, 2)
        turns = turn(text(words[0]), IMAGE, text(words[1]), IMAGE, text(words[2]))
        kept = answered(task, turns, [pictures[i] for i in seen], tokens=3)
        reused.append(kept[2].pace.reused_tokens)
        if rng.integers(2):  # the same pictures, another question
            turns = turn(text(words[0]), IMAGE, text(words[1]), IMAGE, text("the"))
            kept = answered(task, turns, [pictures[i] for i in seen], tokens=3)
            assert kept[2].pace.encoded_tiles == 0
            assert kept[2].pace.reused_tokens > 2 * TOKENS
        task.forget()
        fresh = answered(task, turns, [pictures[i] for i in seen], tokens=3)
        assert np.array_equal(kept[1], fresh[1])
        assert kept[0] == fresh[0]
    assert any(reused)


def test_variants_say_that_pictures_look_both_ways(out):
    manifest = open_bundle(out).manifest
    for variant in manifest.variants:
        given = variant.models["decode"].input
        assert (given.both_ways, given.chunk) == ("both_ways", 128)
    assert all(one.ok for tested in selftest(out) for one in tested.outcomes)


def test_codes_are_near_full_precision(out):
    turns, seeds = PROMPTS["text before, between and behind"]
    pictures = [draw_objects(seed) for seed in seeds]
    found = {
        name: answered(load(path, variant), turns, pictures, tokens=1)[1]
        for name, path, variant in (
            ("fp32", out.with_suffix(".reference.edge"), None),
            ("int8", out, "int8"),
            ("int4", out, "int4"),
        )
    }
    power = np.abs(found["fp32"]).max()
    assert np.abs(found["int8"] - found["fp32"]).max() <= 0.1 * power
    assert np.abs(found["int4"] - found["fp32"]).max() <= 0.8 * power


def test_tflite_answers_as_onnx_does(folder, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="edgekit[litert] is not installed")
    out = tmp_path / "both.edge"
    assert main(["export", str(folder), "-o", str(out), "--context", "192", "--format", "both"]) == 0
    assert all(one.ok for tested in selftest(out) for one in tested.outcomes)
    turns, seeds = PROMPTS["text before, between and behind"]
    pictures = [draw_objects(seed) for seed in seeds]
    first, second = (answered(load(out, name), turns, pictures) for name in ("int8", "int8-tflite"))
    assert first[0] == second[0]
    assert np.abs(first[1] - second[1]).max() <= 0.05 * np.abs(first[1]).max()


def test_calibration_reads_what_the_decoder_reads(folder, out):
    """Layers of the quantiser, given a prompt with pictures, end in the scores of the full-precision bundle."""
    turns, seeds = PROMPTS["text before, between and behind"]
    pictures, task = [draw_objects(seed) for seed in seeds], load(out.with_suffix(".reference.edge"))
    model, given = text_source(str(folder)).model, task.given(turns, pictures)
    features = task.vision.look(given.tiles_from(0), given.tiles).features
    rows = [features[item.tile][item.row] for item in given.items if not isinstance(item, int)]
    tokens = np.array([given.tokens])
    places = tokens == task.vision.head.placeholder
    blocks = torch.from_numpy(numbered(places))
    assert blocks.max() == 1
    with torch.no_grad():
        table = torch.from_numpy(dense(model, EMBEDDING))
        x = embedded(model.shape, table.numpy(), tokens, with_features(places, np.stack(rows)))
        for i in range(model.shape.layers):
            weights = {n: torch.from_numpy(dense(model, f"layers.{i}.{n}.weight")) for n in MATRICES}
            vectors = layer_norms(model, i)
            x = decode_layer(model.shape, i, vectors, lambda n, y, w=weights: y @ w[n].T, x, blocks)
        found = (last_norm(model, x)[0, -1] @ table.T).numpy()
    assert np.abs(found - answered(task, turns, pictures, tokens=1)[1]).max() <= 1e-4


def test_weights_are_fitted_to_questions_about_pictures(folder, out, tmp_path):
    from PIL import Image

    rows = []
    for seed in range(8):
        Image.fromarray(draw_objects(seed)).save(tmp_path / f"{seed}.png")
        rows += [{"image": f"{seed}.png", "question": text, "answer": "no"} for text in ("what is it?", "a")]
    table = tmp_path / "table.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)))
    fitted = tmp_path / "fitted.edge"
    args = ["--context", "192", "--recipe", "int4", "--calib", str(table)]
    assert main(["export", str(folder), "-o", str(fitted), *args]) == 0
    turns, picture = turn(IMAGE, text("what is this?")), draw_objects(50)
    right, *others = (
        answered(load(path, variant), turns, [picture], tokens=1)[1]
        for path, variant in ((out.with_suffix(".reference.edge"), None), (out, "int4"), (fitted, "int4"))
    )
    nearest, made = (np.square(other - right).mean() for other in others)
    assert made < nearest


def test_places_are_numbered_by_their_picture():
    places = np.array([[0, 1, 1, 0, 1], [1, 0, 0, 0, 0]], bool)
    assert numbered(places).tolist() == [[-1, 0, 0, -1, 1], [0, -1, -1, -1, -1]]
