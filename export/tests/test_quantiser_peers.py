"""What benchmarks/quantisers.py does around the peers: the peers themselves are not installed here."""

import hashlib
import json
import sys

import cv2
import numpy as np
import pytest

from benchmarks.quantiser_peers.frontier import frontier
from benchmarks.quantiser_peers.job import Job
from benchmarks.quantiser_peers.measure import Figures
from benchmarks.quantiser_peers.peer import Peer, reason_of, run_module
from benchmarks.quantiser_peers.table import markdown
from benchmarks.quantisers import for_network, main


class TestFrontier:
    def test_keeps_what_nothing_betters_in_every_number(self):
        points = [(5.0, 4.0), (5.0, 3.0), (4.0, 9.0), (6.0, 3.0)]
        assert frontier(points) == [False, True, True, False]

    def test_equal_points_are_all_on_it(self):
        assert frontier([(1, 2), (1, 2)]) == [True, True]

    def test_a_third_number_lets_more_in(self):
        points = [(5.0, 1.0, 1.0), (5.0, 4.0, 0.5)]
        assert frontier(points) == [True, True]
        assert frontier([point[:2] for point in points]) == [True, False]

    def test_of_nothing_is_nothing(self):
        assert frontier([]) == []


class TestForNetwork:
    def test_plain_values_are_for_all(self):
        assert for_network(["photos?crops=4"], "a", ["a", "b"]) == ["photos?crops=4"]

    def test_named_values_are_for_one(self):
        given = ["a=x?crops=4", "b=y", "z"]
        assert for_network(given, "a", ["a", "b"]) == ["x?crops=4", "z"]
        assert for_network(given, "b", ["a", "b"]) == ["y", "z"]

    def test_a_query_is_no_name(self):
        assert for_network(["a?n=3"], "a", ["a"]) == ["a?n=3"]


class TestReason:
    def test_is_the_last_error(self):
        told = "Traceback\n  File x\nKeyError: 'Conv_23'\nbye\n"
        assert reason_of(told, 1) == "KeyError: 'Conv_23'"

    def test_names_the_signal(self):
        assert reason_of("", -9) == "nothing said (signal 9)"


@pytest.fixture
def peer(tmp_path):
    """An interpreter that takes a file's size for a quantiser, and counts how often it was called."""
    calls = tmp_path / "calls"
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, sys\n"
        "_, _, module, recipe, model, feeds, out = sys.argv\n"
        f"calls = pathlib.Path({str(calls)!r})\n"
        "calls.write_text(calls.read_text() + recipe if calls.exists() else recipe)\n"
        "if recipe == 'bad':\n    raise ValueError('no such layer')\n"
        "pathlib.Path(out).write_bytes(pathlib.Path(model).read_bytes()[:3])\n"
        "print('noise')\nprint(json.dumps({'peer': '1.2'}))\n"
    )
    script.chmod(0o755)
    (tmp_path / "feeds").mkdir()
    np.savez(tmp_path / "feeds" / "000000.npz", image=np.zeros(2))
    (tmp_path / "full.onnx").write_bytes(b"graph")
    return Peer("Peer", "job", str(script), ("good", "bad"), 30.0)


class TestPeer:
    def test_gives_file_and_versions(self, peer, tmp_path):
        made = peer.make("good", tmp_path / "full.onnx", tmp_path / "feeds", tmp_path)
        assert (made.name, made.data, made.versions, made.reason) == (
            "Peer good",
            b"gra",
            {"peer": "1.2"},
            "",
        )

    def test_takes_what_it_made_before_of_the_same(self, peer, tmp_path):
        for _ in range(2):
            peer.make("good", tmp_path / "full.onnx", tmp_path / "feeds", tmp_path)
        assert (tmp_path / "calls").read_text() == "good"

    def test_makes_it_again_of_other_data(self, peer, tmp_path):
        peer.make("good", tmp_path / "full.onnx", tmp_path / "feeds", tmp_path)
        np.savez(tmp_path / "feeds" / "000000.npz", image=np.ones(2))
        peer.make("good", tmp_path / "full.onnx", tmp_path / "feeds", tmp_path)
        assert (tmp_path / "calls").read_text() == "goodgood"

    def test_tells_why_there_is_nothing(self, peer, tmp_path):
        made = peer.make("bad", tmp_path / "full.onnx", tmp_path / "feeds", tmp_path)
        assert made.data == b""
        assert made.reason == "ValueError: no such layer"

    def test_no_such_interpreter(self):
        assert "No such file" in run_module("/nowhere/python", "job", [], 5.0)


def test_job_reads_samples_in_order(tmp_path):
    for i in range(3):
        np.savez(tmp_path / f"{i:06}.npz", image=np.full(2, i))
    job = Job("good", tmp_path / "full.onnx", tmp_path, tmp_path / "out.onnx")
    assert [int(sample["image"][0]) for sample in job.samples()] == [0, 1, 2]


class TestMarkdown:
    def report(self, **more):
        full = Figures(1000, (0.0, 0.0, 0.0), None, None, 1.0)
        row = {"row": "full precision", "versions": {}, "failed": None, "frontier": "yes", **vars(full)}
        other = {
            "row": "Peer good",
            "versions": {"peer": "1.2"},
            "failed": None,
            "frontier": "",
            **vars(full),
        }
        other |= {
            "bytes": 250,
            "disagreement": (2.5, 1.0, 4.0),
            "sqnr_db": 26.04,
            "latency_ratio": 0.5,
            **more,
        }
        bad = {"row": "Peer bad", "versions": {}, "failed": "ValueError: no such layer"}
        machine = {"model": "a CPU", "versions": {"onnxruntime": "1.0"}}
        return json.loads(
            json.dumps(
                {
                    "network": "net", "machine": machine, "threads": 1, "rounds": 9, "n": 40, "clusters": 8,
                    "evaluation": ["val?crops=5"], "calibration": ["train"], "calibration_n": 4,
                    "rows": [row, other, bad],
                }
            )
        )  # fmt: skip

    def test_has_a_line_a_row_and_the_failures(self):
        lines = markdown(self.report()).splitlines()
        assert "| Peer good | 250 | 25.0% | 2.50 [1.00, 4.00] | 26.0 | 0.50 |  |" in lines
        assert "- Peer bad: ValueError: no such layer" in lines
        assert "onnxruntime 1.0, peer 1.2" in lines[2]

    def test_tells_the_error_rate_where_it_is_known(self):
        text = markdown(self.report(rise=(0.1, -0.1, 0.3)))
        assert "| 2.50 [1.00, 4.00] | 0.10 [-0.10, 0.30] | 26.0 |" in text


RECIPE = """\
schema = 1
task = "classify"

[models.model]
file = "small.onnx"
sha256 = "{sha256}"
shape = [1, 3, 16, 16]

[models.model.input]
kind = "image"
tensor = "input"
color = "rgb"
ops = [
  {{ op = "resize_stretch", width = 16, height = 16 }},
  {{ op = "normalize", mean = [127.5, 127.5, 127.5], std = [127.5, 127.5, 127.5] }},
]

[models.model.head]
op = "class_head"
tensor = "logits"
labels = "assets/labels.txt"
activation = "softmax"

[assets."assets/labels.txt"]
kind = "coco_classes"
"""

CARD = """\
title = "Small"
task = "classify"
domain = "noise"
languages = []
input_range = "a drawn picture"
cannot = ["be of use"]
license = "MIT"
source = "drawn"
parameters = 3000
trained_on = "nothing"
notes = ""
"""


@pytest.fixture
def small(tmp_path, small_classifier):
    """A network with a recipe of its own, and pictures."""
    folder = tmp_path / "small"
    folder.mkdir()
    data = small_classifier(classes=80).SerializeToString()
    (folder / "small.onnx").write_bytes(data)
    (folder / "recipe.toml").write_text(RECIPE.format(sha256=hashlib.sha256(data).hexdigest()))
    (folder / "card.toml").write_text(CARD)
    for name, seed in (("calib", 1), ("eval", 2)):
        (tmp_path / name).mkdir()
        rng = np.random.default_rng(seed)
        for i in range(6):
            picture = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), picture)
    return folder


def test_measures_ours_a_peer_and_says_what_is_missing(small, tmp_path, capsys):
    data = ["--calib", tmp_path / "calib", "--eval", tmp_path / "eval"]
    arguments = [small, *data, "--weights", small / "small.onnx"]
    arguments += ["--rows", "edgekit*", "onnxruntime MinMax", "NNCF MIXED", "--rounds", "2", "--json"]
    assert main([str(argument) for argument in arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["row"]: row for row in found["rows"]}
    assert list(rows) == [
        "full precision",
        "edgekit static_wi8_ai8, its recipe",
        "edgekit float16 weights",
        "onnxruntime MinMax",
        "NNCF",
    ]
    assert rows["NNCF"]["failed"] == "skipped: no interpreter was given with --nncf-python"
    assert (found["n"], found["clusters"], found["calibration_n"]) == (6, 6, 6)
    assert rows["edgekit static_wi8_ai8, its recipe"]["sqnr_db"] > 20
    assert rows["onnxruntime MinMax"]["sqnr_db"] > 20
    assert set(rows["onnxruntime MinMax"]["versions"]) == {"onnx", "onnxruntime"}
