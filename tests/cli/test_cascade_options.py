from __future__ import annotations

import json
import threading
from typing import ClassVar

import numpy as np
import pytest

import edgekit.cli.camera as camera_command
import edgekit.cli.cascade_options as module
from edgekit.bundle.writer import write_bundle
from edgekit.cli import main
from edgekit.cli.camera_status import Status
from edgekit.cli.cascade_options import asked_in_loop, finish, headline
from edgekit.cli.ladder_options import Start
from edgekit.events import AnswerTold
from edgekit.types import Detections, TextRegions
from tests.bundle.samples import manifest, members
from tests.decoder_files import language_bundle
from tests.vision_files import vision_bundle

pytest.importorskip("tokenizers", reason="the extra text")
pytest.importorskip("PIL", reason="the extra pillow")

SOURCE = "synthetic:?fps=50&seconds=0.4&size=64x48"  # twenty frames


class Gate:
    """Sees a person, or reads a line, in every picture."""

    accepts, bundle_name, variant, engine, threads, labels = (
        "picture",
        "gate",
        "int8",
        "fake",
        1,
        ("person", "dog"),
    )

    def __init__(self, name):
        self.name, self.sessions = name, {}

    def __call__(self, frame, trace=None):
        if self.name == "detect":
            box = np.array([[8, 8, 40, 40]], np.float32)
            return Detections(box, np.array([0.9], np.float32), np.array([0], np.int32), self.labels)
        if self.name == "ocr":
            return TextRegions(np.zeros((1, 4, 2), np.float32), ("total 3",), np.ones(1, np.float32))
        raise AssertionError


@pytest.fixture
def vlm(tmp_path):
    return str(vision_bundle(tmp_path / "vlm.edge"))


@pytest.fixture
def llm(tmp_path):
    return str(language_bundle(tmp_path / "llm.edge"))


@pytest.fixture(autouse=True)
def gates(monkeypatch, tmp_path):
    """Bundles named ``detect`` and ``ocr`` are gates."""
    real = camera_command.load_start

    def load_start(args):
        name = args.bundle.name
        return Start(asked_in_loop(args, Gate(name)), None) if name in ("detect", "ocr") else real(args)

    for name in ("detect", "ocr"):  # their card is a real one
        write_bundle(tmp_path / name, manifest(), members())
    monkeypatch.setattr(camera_command, "load_start", load_start)
    monkeypatch.setattr(module, "FINISH_S", 60.0)
    monkeypatch.chdir(tmp_path)
    yield
    assert not [t for t in threading.enumerate() if t.name.startswith("edgekit-")]


def camera(bundle, *arguments, source=SOURCE):
    return main(["camera", str(bundle), "--source", source, *map(str, arguments)])


def test_a_detector_gates_a_model_that_answers_beside_the_loop(vlm, tmp_path, capsys):
    arguments = (
        "--then",
        vlm,
        "--when",
        "person>0.5",
        "--prompt",
        "a {label}?",
        "--max-tokens",
        4,
        "--crop",
        "25%",
    )
    assert camera("detect", *arguments, "--answers", tmp_path / "a.jsonl", "--json") == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert summary["frames"]["processed"] > 0
    told = summary["cascade"]
    assert {name: told[name] for name in ("bundle", "task", "variant", "triggered", "asked", "answered")} == {
        "bundle": "tiny-vlm",
        "task": "vision_language",
        "variant": "fp32",
        "triggered": 1,
        "asked": 1,
        "answered": 1,
    }
    assert told["threads"] >= 1
    (line,) = (json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines())
    assert told["answers"] == [line]
    assert (line["question"], line["trigger"], line["crop"]) == ("a person?", "person 0.90", [0, 0, 48, 48])
    assert line["age_ms"] >= line["first_token_age_ms"] > 0
    assert line["encode_ms"] > 0
    assert "[person 0.90, frame " in err


def test_a_person_sees_what_became_of_the_questions(vlm, capsys):
    assert camera("detect", "--then", vlm, "--every", "100ms", "--max-tokens", 3, "--then-threads", 1) == 0
    out = capsys.readouterr().out
    assert "then tiny-vlm · fp32 · onnxruntime" in out
    assert "triggered: " in out
    assert "age of the frame at the first token: p50 " in out
    assert headline(None) == []


def test_a_text_that_was_read_becomes_fields(llm, capsys):
    arguments = ("--then", llm, "--when", "text~TOTAL", "--fields", "n:integer", "--json")
    assert camera("ocr", *arguments) == 0
    (answer,) = json.loads(capsys.readouterr().out)["cascade"]["answers"]
    assert answer["question"].startswith("total 3\n")
    assert list(answer["fields"]) == ["n"]
    assert answer["crop"] is None


def test_a_question_that_fails_is_told_counted_and_exit_1(llm, tmp_path, capsys):
    arguments = ("--then", llm, "--prompt", "{text}" + "h" * 200, "--json", "--answers", tmp_path / "a.jsonl")
    assert camera("ocr", *arguments) == 1
    out, err = capsys.readouterr()
    told = json.loads(out)["cascade"]
    assert (told["failed"], told["answered"]) == (1, 0)
    assert "the context has room for 128" in told["errors"][0]
    assert err.count("edgekit: no answer: prompt: ") == 1
    assert (tmp_path / "a.jsonl").read_text() == ""


def test_without_a_rule_a_change_of_the_scene_asks(vlm, capsys):
    assert camera("detect", "--then", vlm, "--max-tokens", 2, "--json") == 0
    told = json.loads(capsys.readouterr().out)["cascade"]
    assert told["answers"][0]["trigger"] == "scene 1.00"
    assert told["answers"][0]["question"] == "Describe this picture."


def test_a_model_in_the_loop_is_asked_about_every_frame(vlm, tmp_path, capsys):
    lines = tmp_path / "r.jsonl"
    arguments = (
        "--prompt",
        "what?",
        "--max-tokens",
        3,
        "--frames",
        4,
        "--unpaced",
        "--results",
        lines,
        "--json",
    )
    assert camera(vlm, *arguments) == 0
    summary = json.loads(capsys.readouterr().out)
    assert "cascade" not in summary
    results = [json.loads(line)["result"] for line in lines.read_text().splitlines()]
    assert [result["tokens"] for result in results] == [3, 3, 3, 3]
    assert camera(vlm, "--fields", "colour:red|blue", "--frames", 1, "--results", lines, "--json") == 0
    assert json.loads(json.loads(lines.read_text())["result"]["text"])["colour"] in ("red", "blue")


@pytest.mark.parametrize(
    ("bundle", "arguments", "match"),
    [
        ("detect", ["--when", "person>0.5"], "--when: is for a model beside the loop"),
        ("detect", ["--crop", "5%"], "--crop: is for a model beside the loop"),
        ("detect", ["--answers", "a.jsonl"], "--answers: is for a model beside the loop"),
        ("detect", ["--prompt", "why?"], "--prompt: is for a language model"),
        ("detect", ["--max-tokens", "3"], "--max-tokens: is for a language model"),
        ("detect", ["--then", "{vlm}", "--when", "cat>0.5"], "no class 'cat'"),
        ("detect", ["--then", "{vlm}", "--when", "person>>"], "--when: rule 'person>>'"),
        ("detect", ["--then", "{vlm}", "--crop", "5"], "write 10%"),
        ("detect", ["--then", "{vlm}", "--crop", "101%"], "write 10%"),
        ("detect", ["--then", "{vlm}", "--crop", "5%"], "--crop: no rule names what to show"),
        (
            "detect",
            ["--then", "{vlm}", "--prompt", "a {label}?"],
            "has {label}, and a rule that names no class",
        ),
        ("detect", ["--then", "{vlm}", "--prompt", "{text}?"], "a picture has no {text}"),
        (
            "detect",
            ["--then", "{vlm}", "--every", "1s", "--cooldown", "2s"],
            "at least the --cooldown of 2000 ms",
        ),
        ("detect", ["--then", "{vlm}", "--then-variant", "x"], "no variant 'x'"),
        ("detect", ["--then", "{vlm}", "--then-threads", "0"], "--then-threads"),
        ("detect", ["--then", "{vlm}", "--answers", "none/a.jsonl"], "no such folder none"),
        ("detect", ["--then", "{llm}"], "is a model of texts, and detect (task detect) reads none"),
        ("detect", ["--then", "{tiny}"], "expected a bundle that generates text, got task 'classify'"),
        (
            "{tiny}",
            ["--then", "{vlm}", "--when", "red", "--crop", "5%"],
            "of task classify, which has no boxes",
        ),
        ("ocr", ["--then", "{llm}", "--prompt", "why?"], "expected {text} in it"),
        ("detect", ["--then", "missing.edge"], "missing.edge"),
    ],
)
def test_what_cannot_be(bundle, arguments, match, vlm, llm, tiny_bundle, tmp_path, capsys):
    names = {"{vlm}": vlm, "{llm}": llm, "{tiny}": str(tiny_bundle())}
    given = [names.get(one, one) for one in arguments]
    assert camera(names.get(bundle, bundle), *given) == 2
    assert match in capsys.readouterr().err
    assert not list(tmp_path.glob("a*.jsonl"))


def test_answers_are_removed_where_the_run_breaks(vlm, tmp_path, capsys):
    (tmp_path / "broken.jpg").write_bytes(b"broken")
    arguments = ("--then", vlm, "--answers", tmp_path / "a.jsonl")
    assert camera("detect", *arguments, source=str(tmp_path / "broken.jpg")) == 2
    assert not list(tmp_path.glob("a*.jsonl"))


def test_an_answer_that_was_broken_off_is_not_shown_as_one(capsys):
    status = Status("camera", now_s=lambda: 0.0)
    status.answer_told(AnswerTold(0, 7, 0, "person 0.90", "who?", "Two peo", True, 10**9, broken_off=True))
    status.answer_told(AnswerTold(1, 9, 0, "person 0.90", "who?", "Two people", True, 10**9))
    assert capsys.readouterr().err.splitlines()[1:] == ["[person 0.90, frame 9, 1.0 s old] Two people"]


def test_who_interrupts_the_last_answers_still_gets_the_summary():
    class Interrupted:
        ends: ClassVar = []

        def end(self, finish_s=0.0):
            self.ends.append(finish_s)
            if finish_s:
                raise KeyboardInterrupt
            return "summary"

    cascade = Interrupted()
    assert finish(cascade, True) == "summary"
    assert cascade.ends == [60.0, 0.0]
    assert finish(cascade, False) == "summary"
    assert finish(None, True) is None


def test_help_teaches_the_rules(capsys):
    assert main(["camera", "--help"]) == 0
    out = capsys.readouterr().out
    assert "person>0.5  any>0.6  text~total  scene>0.1" in out
    assert "--reuse-below" in out
