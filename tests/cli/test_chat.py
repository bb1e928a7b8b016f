from __future__ import annotations

import io
import json
import os
import signal
import sys
from types import SimpleNamespace

import cv2
import pytest

from edgekit.cli import chat, main
from edgekit.tasks.generate import Generate
from edgekit.types import Pace
from tests.decoder_files import language_bundle
from tests.vision_files import picture, vision_bundle

pytest.importorskip("tokenizers", reason="the extra text")
pytest.importorskip("jinja2", reason="the extra text")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return str(language_bundle(tmp_path_factory.mktemp("chat") / "tiny.edge"))


@pytest.fixture
def asked(monkeypatch):
    """What the model was given, in order."""
    given, stream = [], Generate.stream

    def listen(self, prompt, *args, **kwargs):
        given.append(prompt)
        return stream(self, prompt, *args, **kwargs)

    monkeypatch.setattr(Generate, "stream", listen)
    return given


def talk(monkeypatch, *lines):
    """Lines of a person at a terminal, then the end of input."""
    left = list(lines)

    def read(prompt):
        assert prompt == "> "
        if not left:
            raise EOFError
        return left.pop(0)

    monkeypatch.setattr("builtins.input", read)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))


def pipe(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False, buffer=io.BytesIO(data)))


def test_a_prompt_is_answered_and_the_pace_is_told(bundle, asked, capsys):
    assert main(["chat", bundle, "he", "--max-tokens", "6", "--system", "short"]) == 0
    captured = capsys.readouterr()
    assert captured.out.endswith("\n")
    assert captured.err.startswith("[")
    assert "prompt tokens" in captured.err
    assert "length]" in captured.err
    assert asked == [[{"role": "system", "content": "short"}, {"role": "user", "content": "he"}]]


def test_json_is_one_object_with_the_answer(bundle, capsys):
    args = ["chat", bundle, "he", "--max-tokens", "8", "--temperature", "1", "--top-k", "50", "--top-p", "0.9",
            "--repetition-penalty", "1.1", "--seed", "3", "--json"]  # fmt: skip
    texts = []
    for _ in range(2):
        assert main(args) == 0
        made = json.loads(capsys.readouterr().out)
        assert (made["prompt"], made["variant"], made["result"]["finish"]) == ("he", "fp32", "length")
        assert made["result"]["pace"]["answer_tokens"] == made["result"]["tokens"] == 8
        texts.append(made["result"]["text"])
    assert texts[0] == texts[1]


def test_what_is_piped_is_the_prompt(bundle, asked, monkeypatch, capsys):
    pipe(monkeypatch, "the hen\nö\n".encode())
    assert main(["chat", bundle, "--max-tokens", "2"]) == 0
    assert asked[0][0]["content"] == "the hen\nö"
    pipe(monkeypatch, b" \n")
    assert main(["chat", bundle]) == 2
    assert "expected a prompt, got nothing" in capsys.readouterr().err
    pipe(monkeypatch, b"a\xff")
    assert main(["chat", bundle]) == 2
    assert "byte 1 is no UTF-8" in capsys.readouterr().err


def test_a_conversation_remembers_its_turns(bundle, asked, monkeypatch, capsys):
    talk(monkeypatch, "he", "the", "/new", "an", "")
    assert main(["chat", bundle, "--max-tokens", "3"]) == 0
    assert [[turn["role"] for turn in turns] for turns in asked] == [
        ["user"], ["user", "assistant", "user"], ["user"],
    ]  # fmt: skip
    assert asked[1][0]["content"] == "he"
    assert capsys.readouterr().err.count("reused") >= 1


def test_templates_write_the_space_before_an_answer(bundle, asked, monkeypatch):
    monkeypatch.setattr("edgekit.processing.words.Words.decode", lambda self, tokens: " red" * len(tokens))
    talk(monkeypatch, "he", "the", "")
    assert main(["chat", bundle, "--max-tokens", "2"]) == 0
    assert asked[1][1] == {"role": "assistant", "content": "red red"}


def test_a_full_context_does_not_end_the_conversation(bundle, asked, monkeypatch, capsys):
    talk(monkeypatch, "h" * 300, "he")
    assert main(["chat", bundle, "--max-tokens", "3"]) == 0
    err = capsys.readouterr().err
    assert "the context has room for 128; /new begins another conversation" in err
    assert len(asked) == 2
    assert len(asked[1]) == 1


def test_a_choice_and_fields(bundle, capsys):
    assert main(["chat", bundle, "he", "--choice", "red", "--choice", "green"]) == 0
    assert capsys.readouterr().out in ("red\n", "green\n")
    assert main(["chat", bundle, "he", "--fields", "a:integer,b:x|y", "--max-tokens", "40"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert list(made) == ["a", "b"]
    assert main(["chat", bundle, "he", "--choice", "a", "--fields", "a"]) == 2
    assert "expected one of them, got both" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (["--temperature", "-1"], "expected a number"),
        (["--temperature", "nan"], "expected a number"),
        (["--top-p", "0"], "top-p: expected above 0, up to 1, got 0.0"),
        (["--context", "4096"], "context: expected 2 to 128 tokens"),
        (["--memory-cap", "1kB"], "memory cap: "),
        (["--fields", "a:date"], "field a: expected string"),
        (["--stop", ""], "stop: expected a text"),
    ],
)
def test_options_that_cannot_be(bundle, capsys, args, match):
    assert main(["chat", bundle, "he", *args]) == 2
    assert match in capsys.readouterr().err


def test_a_bundle_of_another_task_is_refused(tiny_bundle, capsys):
    assert main(["chat", str(tiny_bundle()), "he"]) == 2
    assert "expected a bundle that generates text, got task 'classify'" in capsys.readouterr().err


def test_ctrl_c_stops_the_answer_and_not_the_conversation(bundle, monkeypatch, capsys):
    """The signal comes while the first answer is written."""
    pressed, write = [], chat.write

    def press(text):
        write(text)
        if not pressed:
            pressed.append(text)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(chat, "write", press)
    talk(monkeypatch, "he", "an")
    before = signal.getsignal(signal.SIGINT)
    assert main(["chat", bundle, "--max-tokens", "20", "--temperature", "1"]) == 0
    err = capsys.readouterr().err.splitlines()
    assert [line.rsplit("; ", 1)[1] for line in err] == ["cancelled]", "length]"]
    assert signal.getsignal(signal.SIGINT) is before
    pressed.clear()
    assert main(["chat", bundle, "he", "--max-tokens", "20", "--temperature", "1"]) == 130


def test_nothing_is_told_of_a_first_token_that_never_came():
    line = chat.pace_line(Pace(82, 0, 0.1, 0.0, 0, 0.0, 0, tiles=1, encoded_tiles=1, encode_ms=3172.0))
    assert line == "1 tile encoded in 3172 ms; 82 prompt tokens; 0 tokens"
    line = chat.pace_line(Pace(82, 40, 10.0, 12.0, 1, 4.0, 1))
    assert line == "82 prompt tokens (40 reused), 4200/s; first token 12 ms; 1 token, 250.0/s"


def test_nothing_of_an_answer_moves_a_terminal(bundle, monkeypatch, capsys):
    monkeypatch.setattr(
        "edgekit.processing.words.Words.decode", lambda self, tokens: "\x1b[2J\a" * len(tokens)
    )
    assert main(["chat", bundle, "he", "--max-tokens", "3"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\a" not in out


def test_a_chat_imports_no_cv2_and_no_rich(bundle):
    import subprocess

    code = (
        "import sys; from edgekit.cli import main; main(['chat', sys.argv[1], 'he', '--max-tokens', '2']); "
        "print([name for name in ('cv2', 'rich', 'jinja2', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, bundle], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['jinja2']"


@pytest.fixture(scope="module")
def vlm(tmp_path_factory):
    pytest.importorskip("PIL", reason="the extra pillow")
    return str(vision_bundle(tmp_path_factory.mktemp("chat") / "tiny.edge"))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    made = [str(tmp_path_factory.mktemp("images") / f"{seed}.png") for seed in (0, 1)]
    for seed, path in enumerate(made):
        cv2.imwrite(path, picture(seed).pixels)
    return made


def test_a_picture_is_asked_about(vlm, images, capsys):
    assert main(["chat", vlm, "what is it?", "--image", images[0], "--max-tokens", "4"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("[tiny-vlm fp32: 1 tile encoded in ")
    assert "; first token " in err
    asked = [
        "chat",
        vlm,
        "what is it?",
        "--image",
        images[0],
        "--image",
        images[1],
        "--max-tokens",
        "4",
        "--json",
    ]
    assert main(asked) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["images"] == images
    assert (made["result"]["pace"]["tiles"], made["result"]["pace"]["encoded_tiles"]) == (2, 2)
    assert main(["chat", vlm, "what is it?", "--max-tokens", "4", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert "images" not in made
    assert "tiles" not in made["result"]["pace"]


def test_a_conversation_about_a_picture_and_then_another(vlm, images, monkeypatch, capsys):
    talk(
        monkeypatch,
        "what?",
        "the hen?",
        f"/image {images[1]}",
        "what?",
        "/image",
        "/image no.png",
        "the?",
        "",
    )
    assert main(["chat", vlm, "--image", images[0], "--max-tokens", "2"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [("known" in line, "reused" in line) for line in lines if line.startswith("[")] == [
        (False, False), (True, True), (False, True), (True, True),
    ]  # fmt: skip
    assert [line for line in lines if line.startswith("edgekit: ")] == [
        "edgekit: /image: expected a picture's file, got nothing", "edgekit: no.png: no such picture",
    ]  # fmt: skip


def test_a_model_of_texts_takes_no_picture(bundle, images, monkeypatch, capsys):
    assert main(["chat", bundle, "he", "--image", images[0]]) == 2
    assert "is a model of texts (task generate) and takes no pictures" in capsys.readouterr().err
    talk(monkeypatch, f"/image {images[0]}", "he")
    assert main(["chat", bundle, "--max-tokens", "2"]) == 0
    assert "takes no pictures" in capsys.readouterr().err
    assert main(["chat", bundle, "he", "--image", ""]) == 2
