"""``edgekit export`` of a text model: what is refused, how soon, and what a pruned bundle says of itself."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="edgekit-export[torch] is not installed")
pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("gguf", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.bundle.reader import open_bundle
from edgekit.cli import main
from edgekit.selftest import selftest
from edgekit.tasks.registry import load
from export.tests.sources.text_checkpoints import tiny_llama, write_gguf

WORDS = "the harbour was quiet in the early morning and two boats had come in during the night " * 4


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory):
    return str(write_gguf(tiny_llama(), tmp_path_factory.mktemp("tiny") / "tiny.gguf", "Q8_0"))


@pytest.fixture
def texts(tmp_path):
    for name, text in (("seen", WORDS), ("other", f"other {WORDS}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--recipe", "mixed"], 2, "add --max-size and --calib"),
        (["--recipe", "fp16"], 2, "choose from stored, int8, int4, mixed"),
        (["--context", "100000"], 2, "was made for 2 to 128 tokens"),
        (["--keep-tokens", "9"], 2, "add --vocabulary DATA"),
        (["--input-size", "224"], 2, "is a text model (leave it out)"),
        (["--max-drop", "2%"], 2, "add --eval DATA"),
        (["--vocabulary", "nowhere/"], 2, "no such file or folder"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(gguf_file, tmp_path, capsys, args, code, said):
    out = tmp_path / "tiny.edge"
    assert main(["export", gguf_file, "-o", str(out), *args]) == code
    told = capsys.readouterr().err
    assert said in told
    assert "write fp32" not in told
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_no_codes_have_is_refused_with_its_arithmetic(gguf_file, tmp_path, capsys):
    out = tmp_path / "tiny.edge"
    assert main(["export", gguf_file, "-o", str(out), "--max-size", "30KB", "--json"]) == 1
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert "bits a weight" in told["arithmetic"]
    assert told["smallest_bytes"] > 30_000
    assert "write fp32" not in captured.err
    assert not out.exists()


def test_a_size_that_only_the_estimate_exceeds_is_tried(gguf_file, tmp_path):
    out = tmp_path / "tiny.edge"
    assert main(["export", gguf_file, "-o", str(out), "--context", "128", "--max-size", "200KB"]) == 0
    assert out.stat().st_size <= 200_000


def test_a_size_that_the_stored_codes_do_not_keep_is_refused_with_what_would_help(
    gguf_file, tmp_path, capsys
):
    args = ["export", gguf_file, "-o", str(tmp_path / "tiny.edge"), "--context", "128"]
    assert main([*args, "--max-size", "150KB"]) == 1
    assert "add --calib TEXTS" in capsys.readouterr().out


@pytest.mark.parametrize("tied", [True, False])
def test_a_file_as_people_name_them_whose_embedding_has_minima(tmp_path, tied):
    network = tiny_llama(tie_word_embeddings=tied)
    source = write_gguf(network, tmp_path / "Tiny-Llama v1.0.Q4_1.gguf", "Q4_1")
    out = tmp_path / "tiny.edge"
    assert main(["export", str(source), "-o", str(out), "--context", "128"]) == 0
    assert open_bundle(out).manifest.name == "tiny-llama-v1.0.q4_1"
    sides = out, tmp_path / "tiny.reference.edge"
    scored, reference = (load(side).scores(WORDS).logprob for side in sides)
    assert np.abs(scored - reference).mean() <= 0.05


@pytest.mark.parametrize("recipe", [[], ["--recipe", "mixed"]])
def test_a_pruned_model_that_is_too_large_is_refused_and_no_bad_input(gguf_file, texts, capsys, recipe):
    args = ["export", gguf_file, "-o", str(texts / "tiny.edge"), "--context", "128", "--max-size", "60KB"]
    data = ["--vocabulary", str(texts / "seen"), "--calib", str(texts / "seen")]
    assert main([*args, *data, *recipe]) == 1
    assert "bits a weight" in capsys.readouterr().out


@pytest.mark.parametrize("context", [2, 16])
def test_a_context_shorter_than_golden_texts(gguf_file, tmp_path, context):
    out = tmp_path / "tiny.edge"
    assert main(["export", gguf_file, "-o", str(out), "--context", str(context)]) == 0
    assert all(outcome.ok for tested in selftest(out) for outcome in tested.outcomes)


def test_a_pruned_bundle_names_its_texts_and_answers(gguf_file, texts, capsys):
    out = texts / "tiny.edge"
    args = ["export", gguf_file, "-o", str(out), "--context", "128", "--recipe", "int8"]
    assert main([*args, "--vocabulary", str(texts / "seen")]) == 0
    assert "tokens stay" in capsys.readouterr().out
    manifest = open_bundle(out).manifest
    kept = manifest.variants[0].models["decode"].head.vocabulary
    assert manifest.lock.options["vocabulary-tokens"] == str(kept)
    assert len(manifest.lock.options["vocabulary"]) == 64
    assert manifest.card.source == "tiny.gguf"
    assert main(["chat", str(out), "the harbour", "--max-tokens", "4"]) == 0
    assert all(outcome.ok for tested in selftest(out) for outcome in tested.outcomes)


def test_texts_that_the_vocabulary_is_pruned_to_are_not_measured_on(gguf_file, texts, capsys):
    data = str(texts / "seen")
    args = ["export", gguf_file, "-o", str(texts / "tiny.edge"), "--vocabulary", data, "--eval", data]
    assert main(args) == 2
    assert "vocabulary and evaluation share 2 of 2" in capsys.readouterr().err
