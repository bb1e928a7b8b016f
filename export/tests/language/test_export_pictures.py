"""``edgekit export`` of a vision-language model: one budget, one bundle, answers as transformers gives them."""

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
from edgekit.types import Frame, Question  # noqa: E402
from edgekit_export.data.objects import draw_objects  # noqa: E402
from export.tests.sources.vision_checkpoints import (  # noqa: E402
    tiny_idefics3,
    tokenizer,
    write_vision_folder,
)

KINDS = {"idefics3": lambda: tiny_idefics3(), "smolvlm": lambda: tiny_idefics3("SmolVLM", tied=False)}
QUESTIONS = ("What is this?", "Is there a circle?", "and what color?", "the other one", "a")


@pytest.fixture(scope="module", params=KINDS)
def exported(request, tmp_path_factory):
    """Transformers' network, its folder, and a bundle of it in two sizes of pictures."""
    root, network = tmp_path_factory.mktemp(request.param), KINDS[request.param]()
    folder = write_vision_folder(network, root / "tiny")
    out = root / "tiny.edge"
    args = ["export", str(folder), "-o", str(out), "--context", "192", "--image-size", "64,48"]
    assert main([*args, "--recipe", "int8,int4"]) == 0
    return network, folder, out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_vision_folder(KINDS["idefics3"](), tmp_path_factory.mktemp("one") / "tiny")


def processed(picture, question, size):
    """Tokens and pixels as transformers' own processor makes them."""
    from PIL import Image
    from transformers import PreTrainedTokenizerFast
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
    from transformers.models.idefics3.processing_idefics3 import Idefics3Processor

    from export.tests.sources.vision_checkpoints import TEMPLATE

    images = Idefics3ImageProcessorPil(
        size={"longest_edge": 96 * size // 64},
        max_image_size={"longest_edge": size},
        do_image_splitting=False,
    )
    words = PreTrainedTokenizerFast(tokenizer_object=tokenizer())
    made = Idefics3Processor(images, words, image_seq_len=(size // 16) ** 2, chat_template=TEMPLATE)
    turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}
    text = made.apply_chat_template([turn], add_generation_prompt=True)
    return made(text=text, images=[Image.fromarray(picture)], return_tensors="pt")


@pytest.mark.parametrize("size", [64, 48, 32])
def test_full_precision_answers_as_transformers_does(exported, tmp_path, size):
    network, folder, _ = exported
    out = tmp_path / "one.edge"
    args = ["--context", "192", "--image-size", str(size), "--recipe", "int8"]
    assert main(["export", str(folder), "-o", str(out), *args]) == 0
    task = load(tmp_path / "one.reference.edge")
    for seed, question in enumerate(QUESTIONS):
        picture, trace = draw_objects(seed), Trace()
        answer = task(Question(Frame(picture), question), trace, Settings(max_tokens=8))
        given = processed(picture, question, size)
        with torch.no_grad():
            wanted = network(**given).logits[0, -1].numpy()
            made = network.generate(**given, max_new_tokens=8, do_sample=False)[0]
        scores = [output for call in trace.calls if call.role == "decode" for _, output in call.told]
        assert np.abs(scores[0][0] - wanted).max() <= 1e-4
        theirs = made[given["input_ids"].shape[1] :].tolist()
        ends = {0, 2, 3}
        theirs = theirs[: next((i for i, token in enumerate(theirs) if token in ends), len(theirs))]
        assert list(answer.tokens) == theirs


def test_variants_share_the_language_model_and_have_golden_answers(exported):
    _, _, out = exported
    manifest = open_bundle(out).manifest
    assert manifest.task == "vision_language"
    assert [variant.name for variant in manifest.variants] == ["int8", "int8-48", "int4", "int4-48"]
    first, second = manifest.variants[:2]
    assert {role: first.models[role] for role in ("embed", "decode")} == {
        role: second.models[role] for role in ("embed", "decode")
    }
    assert (first.models["vision"].input.size, second.models["vision"].input.size) == (64, 48)
    assert (first.models["vision"].head.tokens, second.models["vision"].head.tokens) == (16, 9)
    assert first.models["vision"].external == second.models["vision"].external
    assert manifest.lock.options["image-size"] == "64,48"
    assert all(golden.question for golden in manifest.golden)
    assert all(one.ok for tested in selftest(out) for one in tested.outcomes)


def test_codes_are_near_full_precision(exported, tmp_path):
    _, _, out = exported
    asked = Question(Frame(draw_objects(1)), QUESTIONS[0])
    scores = {}
    for name, path, variant in (
        ("fp32", out.with_suffix(".reference.edge"), None),
        ("int8", out, "int8"),
        ("int4", out, "int4"),
    ):
        trace = Trace()
        load(path, variant)(asked, trace, Settings(max_tokens=1))
        scores[name] = next(o for call in trace.calls if call.role == "decode" for _, o in call.told)[0]
    power = np.abs(scores["fp32"]).max()
    assert np.abs(scores["int8"] - scores["fp32"]).max() <= 0.05 * power
    assert np.abs(scores["int4"] - scores["fp32"]).max() <= 0.6 * power


def test_tflite_answers_as_onnx_does(folder, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="edgekit[litert] is not installed")
    out = tmp_path / "both.edge"
    assert exported_to(folder, out, "--format", "both", "--image-size", "48,64") == 0
    names = [variant.name for variant in open_bundle(out).manifest.variants]
    assert names == ["int8", "int8-64", "int8-tflite", "int8-tflite-64"]
    assert all(one.ok for tested in selftest(out) for one in tested.outcomes)
    asked = Question(Frame(draw_objects(1)), QUESTIONS[0])
    for ending in ("", "-64"):
        first, second = (load(out, f"int8{kind}{ending}") for kind in ("", "-tflite"))
        found = [task(asked, settings=Settings(max_tokens=4)).tokens for task in (first, second)]
        assert found[0] == found[1]


def questions(folder, count):
    """A table of questions about drawn pictures."""
    from PIL import Image

    folder.mkdir()
    rows = []
    for seed in range(count):
        Image.fromarray(draw_objects(seed)).save(folder / f"{seed}.png")
        rows += [json.dumps({"image": f"{seed}.png", "question": text, "answer": "no"}) for text in QUESTIONS]
    (folder / "table.jsonl").write_text("\n".join(rows))
    return str(folder / "table.jsonl")


def test_weights_are_fitted_to_questions_about_pictures(folder, tmp_path):
    table, asked = questions(tmp_path / "seen", 12), Question(Frame(draw_objects(50)), QUESTIONS[1])
    missed = {}
    for name, args in (("nearest", []), ("fitted", ["--calib", table])):
        out = tmp_path / f"{name}.edge"
        assert exported_to(folder, out, "--recipe", "int4", *args) == 0
        scores = []
        for path in (out, tmp_path / f"{name}.reference.edge"):
            trace = Trace()
            load(path)(asked, trace, Settings(max_tokens=1))
            scores.append(next(o for call in trace.calls if call.role == "decode" for _, o in call.told)[0])
        missed[name] = float(np.square(scores[0] - scores[1]).mean())
    assert missed["fitted"] < missed["nearest"]
    lock = open_bundle(tmp_path / "fitted.edge").manifest.lock
    assert lock.calibration_n == 60
    both = ["--recipe", "int8", "--calib", table, "--eval", table]
    assert exported_to(folder, tmp_path / "x.edge", *both) == 2


def exported_to(folder, out, *args):
    return main(["export", str(folder), "-o", str(out), "--context", "192", *args])


def test_one_budget_is_over_eyes_and_language_model(folder, tmp_path):
    out, found = tmp_path / "small.edge", {}
    for kilobytes in (930, 840):
        assert exported_to(folder, out, "--recipe", "mixed", "--max-size", f"{kilobytes}KB") == 0
        assert out.stat().st_size <= kilobytes * 1000
        bundle = open_bundle(out)
        files = {file.path: file.size for file in bundle.manifest.files}
        found[kilobytes] = files["mixed/vision.bin"], files["mixed/weights.bin"]
    assert found[840][0] < found[930][0]
    assert found[840][1] < found[930][1]


def test_a_size_that_no_codes_have_is_refused_with_its_arithmetic(folder, tmp_path, capsys):
    assert exported_to(folder, tmp_path / "small.edge", "--max-size", "60KB", "--json") == 1
    captured = capsys.readouterr()
    assert "bits a weight" in json.loads(captured.out)["arithmetic"]
    assert "vocabulary" not in captured.out
    assert "write fp32" not in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--image-size", "50"], "expected a multiple of 16 pixels up to 64"),
        (["--image-size", "128"], "expected a multiple of 16 pixels up to 64"),
        (["--image-size", "64,64"], "write each size once"),
        (["--context", "16"], "--context 16: a picture of 64 pixels takes 16 tokens"),
        (["--recipe", "mixed"], "add --max-size"),
        (["--recipe", "stored"], "its weights are floats"),
        (["--calib", "nowhere/"], "no such file or folder"),
        (["--vocabulary", "texts/"], "--vocabulary: tiny looks at pictures"),
        (["--max-drop", "2%"], "add --eval DATA"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(folder, tmp_path, capsys, args, said):
    assert exported_to(folder, tmp_path / "tiny.edge", *args) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "write fp32" not in captured.err
    assert list(tmp_path.iterdir()) == []
