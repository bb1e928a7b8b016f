from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from edgekit.bundle.writer import write_bundle
from edgekit.cli import main
from edgekit.tasks import registry
from edgekit.types import TextRegions
from tests.bundle.samples import manifest, members
from tests.decoder_files import language_bundle
from tests.vision_files import picture, vision_bundle

pytest.importorskip("tokenizers", reason="the extra text")


class Reader:
    """Reads two lines of every picture."""

    name, accepts, bundle_name, variant = "ocr", "picture", "reader", "int8"

    def __call__(self, given, trace=None):
        return TextRegions(np.zeros((2, 4, 2), np.float32), ("Shop [red]", "total 3"), np.ones(2, np.float32))


@pytest.fixture
def model(tmp_path):
    return str(language_bundle(tmp_path / "tiny.edge"))


@pytest.fixture
def reads(monkeypatch, tmp_path):
    """A picture, and a bundle's path that gives the reader."""
    real = registry.load
    monkeypatch.setattr(
        registry,
        "load",
        lambda path, *args, **kwargs: Reader() if path.name == "ocr" else real(path, *args, **kwargs),
    )
    write_bundle(tmp_path / "ocr", manifest(), members())
    (tmp_path / "a.png").write_bytes(b"")
    return [str(tmp_path / "ocr"), str(tmp_path / "a.png")]


def test_what_was_read_becomes_fields(reads, model, capsys):
    asked = ["--then", model, "--fields", "shop:a|b,total:number", "--prompt", "{fields}:{text}"]
    assert main(["run", *reads, *asked, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["result"]["lines"][0]["text"] == "Shop [red]"
    then = made["then"]
    assert then["prompt"] == "shop, total:Shop [red]\ntotal 3"
    assert then["fields"] == json.loads(then["result"]["text"])
    assert list(then["fields"]) == ["shop", "total"]
    assert (then["task"], then["variant"], then["result"]["finish"]) == ("generate", "fp32", "end")


def test_a_person_sees_both(reads, model, capsys):
    assert main(["run", *reads, "--then", model, "--max-tokens", "4"]) == 0
    out = capsys.readouterr().out
    assert "Shop [red]" in out
    assert "then tiny · fp32 · " in out


def test_a_language_model_alone(model, capsys, tmp_path):
    (tmp_path / "t.txt").write_text("he\nthe\n")
    assert main(["run", model, str(tmp_path / "t.txt"), "--text", "an", "--max-tokens", "4", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["input"].rsplit("/", 1)[-1] for line in lines] == ["t.txt:1", "t.txt:2", "text 1"]
    assert {line["result"]["finish"] for line in lines} == {"length"}
    assert main(["run", model, "--text", "an", "--fields", "n:integer", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["fields"] == json.loads(made["result"]["text"])


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (["--fields", "a"], "--fields: is for a language model"),
        (["--max-tokens", "3"], "--max-tokens: is for a language model"),
        (["--then", "{tiny}", "--prompt", "why"], "expected {text} in it"),
        (["--then", "{tiny}", "--fields", "a:date"], "field a: expected string"),
    ],
)
def test_questions_that_cannot_be_asked(reads, model, capsys, args, match):
    assert main(["run", *reads, *(arg.replace("{tiny}", model) for arg in args)]) == 2
    assert match in capsys.readouterr().err


def test_then_takes_a_language_model(reads, tiny_bundle, capsys):
    assert main(["run", *reads, "--then", str(tiny_bundle())]) == 2
    assert "expected a bundle that generates text, got task 'classify'" in capsys.readouterr().err


@pytest.fixture
def pictures(tmp_path):
    pytest.importorskip("PIL", reason="the extra pillow")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in (0, 1):
        cv2.imwrite(str(folder / f"{seed}.png"), picture(seed).pixels)
    return str(folder)


def test_the_same_question_about_each_picture(pictures, tmp_path, capsys):
    model = str(vision_bundle(tmp_path / "vlm.edge"))
    assert main(["run", model, pictures, "--prompt", "what is it?", "--max-tokens", "4", "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["task"], first["result"]["tokens"]) == ("vision_language", 4)
    assert first["result"]["text"] != second["result"]["text"]
    assert second["result"]["pace"]["encoded_tiles"] == 1
    assert main(["run", model, f"{pictures}/0.png", "--fields", "colour:red|blue,n:integer", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["fields"] == json.loads(made["result"]["text"])
    assert main(["run", model, f"{pictures}/0.png", "--max-tokens", "3"]) == 0
    assert "0.png · fp32 · " in capsys.readouterr().out


def test_a_picture_has_no_text(pictures, tmp_path, capsys):
    model = str(vision_bundle(tmp_path / "vlm.edge"))
    assert main(["run", model, pictures, "--prompt", "what is {text}?"]) == 2
    assert "a picture has no {text}" in capsys.readouterr().err
