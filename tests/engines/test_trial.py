import json
import random
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from edgekit.bundle.ranges import BytesRange
from edgekit.bundle.tflite_model import check_tflite
from edgekit.engines import trial
from edgekit.engines.litert import LiteRtEngine
from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.engines.trial import require_proof, try_model
from edgekit.errors import EdgekitError, EnvironmentLacks, ModelError, OutputError
from edgekit.processing.codes import Codes
from tests.tflite_files import channel_means

ONE = EngineOptions(threads=1)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "trials"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(channel_means("int8", batch=-1))
    return path


@pytest.fixture
def trials(monkeypatch):
    """Counts the trials, and runs none."""
    made = []
    monkeypatch.setattr(trial, "try_model", lambda path, options: made.append(path.name))
    return made


def dies(monkeypatch, script):
    """The child runs this instead."""
    monkeypatch.setattr(trial, "_BOOTSTRAP", script)


def test_a_trial_tells_what_goes_in_and_out(model):
    tried = try_model(model, ONE)
    assert tried.inputs == (TensorSpec("image", "float32", (None, 8, 8, 3), Codes("int8", 1.0, -128)),)
    assert [(o.name, o.form) for o in tried.outputs] == [("scores", "float32 ?×3")]


def test_what_the_interpreter_refuses_is_said_in_its_words(tmp_path):
    (tmp_path / "m.tflite").write_bytes(b"\x18\0\0\0TFL3" + bytes(64))
    with pytest.raises(ModelError, match=r"m\.tflite: litert cannot load it: "):
        try_model(tmp_path / "m.tflite", ONE)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import os, sys; sys.stderr.write('INFO: x\\nfree(): bad\\x1b[2J\\n'); sys.stderr.flush(); os.abort()",
         r"m\.tflite: ends the process with SIGABRT .* in a trial: free\(\): bad\?\[2J$"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "with SIGSEGV when .* in a trial$"),
        ("raise SystemExit(7)", "with exit code 7"),
        ("1/0", "with exit code 1 .*: ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_a_child_that_dies_takes_nobody_along(model, monkeypatch, script, message):
    dies(monkeypatch, script)
    with pytest.raises(ModelError) as caught:
        try_model(model, ONE)
    assert re.search(message, caught.value.message), caught.value.message
    assert "damaged or foreign" in caught.value.remedy


def test_a_child_that_hangs_is_ended(model, monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 0.5)
    dies(monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(ModelError, match=r"m\.tflite: not loaded and run within 0\.5 s"):
        try_model(model, ONE)


def test_a_large_file_has_longer(model, monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 0)
    monkeypatch.setattr(trial, "BYTES_PER_S", model.stat().st_size // 3)
    given, held = [], SimpleNamespace(returncode=0, stdout=b'{"inputs": [], "outputs": []}')
    monkeypatch.setattr(trial.subprocess, "run", lambda *_, timeout, **__: given.append(timeout) or held)
    try_model(model, ONE)
    assert given == [3]


def test_the_limits_hold_in_the_child(model):
    script = (
        "import json, resource, sys; sys.path[:] = json.loads(sys.argv[2]); from edgekit.engines import trial\n"
        "trial.child(sys.argv[1], 'all')\n"
        "print(*(resource.getrlimit(r)[0] for r in (resource.RLIMIT_CORE, resource.RLIMIT_CPU, resource.RLIMIT_AS)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, model, json.dumps(sys.path)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    core, cpu, memory = map(int, done.stdout.splitlines()[-1].split())
    assert (core, cpu, memory) == (0, 60, (4 << 30) + 4 * model.stat().st_size)


def test_without_a_python_to_start_the_reason_is_said(model, monkeypatch):
    monkeypatch.setattr(trial.sys, "executable", "")
    with pytest.raises(EnvironmentLacks, match="no Python to try a model with"):
        try_model(model, ONE)


def test_a_file_is_tried_once(model, cache, trials):
    for _ in range(2):
        require_proof(model, "litert 2", ONE)
    assert trials == ["m.tflite"]
    (proof,) = cache.iterdir()
    assert proof.read_text() == "m.tflite held in a trial by litert 2\n"


def test_other_bytes_engines_kernels_and_machines_are_tried_again(model, cache, trials, monkeypatch):
    require_proof(model, "litert 2", ONE)
    require_proof(model, "litert 3", ONE)
    require_proof(model, "litert 2", EngineOptions(1, "none"))
    require_proof(model, "litert 2", EngineOptions(4))  # threads change nothing
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    require_proof(model, "litert 2", ONE)
    monkeypatch.setattr(trial, "RULES", "next")
    require_proof(model, "litert 2", ONE)
    assert len(trials) == len(list(cache.iterdir())) == 5


def test_what_failed_is_not_remembered(model, cache, monkeypatch):
    dies(monkeypatch, "raise SystemExit(1)")
    for _ in range(2):
        with pytest.raises(ModelError, match="exit code 1"):
            LiteRtEngine().load(model, ONE)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written(model, trials, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(model))  # a file, no folder
    with pytest.raises(OutputError, match="cache .*Not a directory"):
        require_proof(model, "litert 2", ONE)


def test_a_real_file_that_ends_the_interpreter(test_data, cache):
    path = test_data / "breakers" / "keyword_scrambled_8bit.tflite"
    with pytest.raises(ModelError, match="ends the process with SIG(ABRT|SEGV)"):
        LiteRtEngine().load(path, ONE)
    assert not cache.exists()


def damaged(data, count, seed):
    """Copies with flipped bits, changed bytes or without their end; most of the damage is where structure is."""
    source = random.Random(seed)
    structure = [i for i in range(len(data)) if data[max(0, i - 8) : i + 8].count(0) >= 4]
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(source.choice((1, 1, 2, 4))):
            at = source.choice(structure) if source.random() < 0.8 else source.randrange(len(data))
            copy[at] = source.choice((copy[at] ^ 1 << source.randrange(8), 0, 1, 127, 128, 255))
        yield bytes(copy if source.random() < 0.85 else copy[: source.randrange(len(copy))])


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_fuzz_damaged_files_never_end_this_process(tmp_path, precision):
    """Through the whole path, in this process: structure, trial, then what is left with other numbers than zeros."""
    outcomes = {"refused": 0, "held": 0}
    noise = np.random.Generator(np.random.PCG64(1))
    for index, data in enumerate(damaged(channel_means(precision), 8, precision)):
        path = tmp_path / f"{index}.tflite"
        path.write_bytes(data)
        try:
            check_tflite(BytesRange(data), path.name)
            session = LiteRtEngine().load(path, ONE)
            feeds = {
                s.name: noise.normal(0, 90, [d or 2 for d in s.shape]).astype(s.dtype) for s in session.inputs
            }
            session.run(feeds)
            outcomes["held"] += 1
        except EdgekitError as error:
            assert str(error).isprintable()
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 0, outcomes
