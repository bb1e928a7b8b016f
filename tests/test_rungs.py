from __future__ import annotations

import threading

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import Drop
from edgekit.bundle.reader import open_bundle
from edgekit.errors import ModelError, UsageError
from edgekit.rungs import ROUNDS, Loaded, Loader, Rung, candidates, chosen, golden_picture, measure, warm_up
from edgekit.tasks.registry import load
from edgekit.types import Frame

MS = 1_000_000


def drop(value):
    return Drop("top1", value, (value - 0.5, value + 0.5), 0.95, 1000, "source")


def rung(name, cost_ms, value=None):
    return Rung(name, None if value is None else drop(value), cost_ms * MS)


def names(rungs):
    return [one.variant for one in rungs]


class TestCandidates:
    def test_all_of_the_first_ones_format(self, tiny_bundle):
        def mixed(manifest, members):
            twin = manifest.variants[0].models["model"]
            tflite = replace(
                manifest.variants[0], name="lite", models={"model": replace(twin, format="tflite")}
            )
            return replace(manifest, variants=(*manifest.variants, tflite))

        manifest = mixed(open_bundle(tiny_bundle()).manifest, {})
        assert [v.name for v in candidates(manifest, None, None)] == ["int8", "fp16"]
        assert [v.name for v in candidates(manifest, None, "fp16")] == ["int8", "fp16"]
        with pytest.raises(UsageError, match="two variants or more, each once, got lite"):
            candidates(manifest, None, "lite")
        assert [v.name for v in candidates(manifest, ["lite", "fp16"], None)] == ["lite", "fp16"]

    @pytest.mark.parametrize(
        ("wanted", "message"),
        [
            (["int8"], "two variants or more, each once, got int8"),
            (["int8", "int8"], "each once, got int8, int8"),
            (["int8", "int4"], "no variant 'int4'"),
            ([""], "no variant ''"),
        ],
    )
    def test_what_is_no_ladder(self, tiny_bundle, wanted, message):
        with pytest.raises(UsageError, match=message):
            candidates(open_bundle(tiny_bundle()).manifest, wanted, None)


class TestChosen:
    def test_the_most_accurate_first(self):
        rungs = [rung("int8", 5, 2.0), rung("fp16", 10, 0.1), rung("int4", 8, 3.0)]
        assert names(chosen(rungs, None)) == ["fp16", "int8"]

    def test_from_a_variant_down(self):
        rungs = [rung("int8", 5, 2.0), rung("fp16", 10, 0.1), rung("fp32", 20)]
        assert names(chosen(rungs, None)) == ["fp32", "fp16", "int8"]
        assert names(chosen(rungs, "fp16")) == ["fp16", "int8"]

    def test_a_ladder_of_one_is_refused_with_what_was_measured(self):
        with pytest.raises(
            UsageError, match=r"trade accuracy for time on this machine, got int8 5\.0 ms, fp16 5\.0"
        ):
            chosen([rung("int8", 5), rung("fp16", 5)], None)
        with pytest.raises(UsageError, match="got int8 5"):
            chosen([rung("int8", 5, 2.0), rung("fp16", 10, 0.1)], "int8")


def test_every_variant_is_timed_one_at_a_time(tiny_bundle):
    bundle = open_bundle(tiny_bundle())
    loaded = []

    def task(name):
        loaded.append(name)
        return load(bundle.path, name)

    picture = golden_picture(bundle)
    assert picture.pixels.shape == (16, 16, 3)
    rungs = measure(task, bundle.manifest.variants, picture)
    assert loaded == names(rungs) == ["int8", "fp16"]
    assert all(0 < one.cost_ns < 10**9 and one.drop is None for one in rungs)
    assert len(measure(task, bundle.manifest.variants, None)) == 2


@pytest.mark.parametrize("given", [None, Frame(np.zeros((20, 30, 3), np.uint8), "rgb")])
def test_no_two_timed_pictures_are_alike(given, tiny_bundle):
    seen = []

    def look(frame, trace=None):
        seen.append((frame.color, frame.pixels.tobytes()))

    measure(lambda name: look, open_bundle(tiny_bundle()).manifest.variants[:1], given)
    assert len(seen) == len(set(seen)) == ROUNDS + 1  # and the one that warms up
    assert {color for color, _ in seen[1:]} == {"bgr" if given is None else "rgb"}


def test_a_bundle_without_golden_pictures(tiny_bundle):
    path = tiny_bundle(change=lambda manifest, members: _without_golden(manifest, members))
    assert golden_picture(open_bundle(path)) is None


def _without_golden(manifest, members):
    for member in [name for name in members if name.startswith("golden/")]:
        del members[member]
    return replace(manifest, golden=())


def test_warm_up_takes_the_cameras_size():
    class Task:
        def __call__(self, frame, trace):
            self.frame = frame

    task = Task()
    trace = warm_up(task, (6, 4))
    assert task.frame.pixels.shape == (4, 6, 3)
    assert np.unique(task.frame.pixels).tolist() == [128]
    assert trace.calls == []
    warm_up(task, None)
    assert task.frame.size_wh == (640, 480)


class TestLoader:
    def test_loads_in_its_own_thread_and_warms_up(self, tiny_bundle):
        path = tiny_bundle()
        threads = []

        def task(name):
            threads.append(threading.current_thread().name)
            return load(path, name)

        loader = Loader(task, (64, 48))
        assert loader.take() is None
        loader.start("fp16")
        loader._thread.join(30)
        made = loader.take()
        assert isinstance(made, Loaded)
        assert made.task.variant == "fp16"
        assert made.bare_ns > 0
        assert threads == ["edgekit-variant"]
        assert loader.take() is None  # once
        loader.close()

    def test_nothing_is_there_while_it_loads(self):
        gate = threading.Event()

        def slow(name):
            gate.wait(30)
            raise ModelError("int8: no such model file")

        loader = Loader(slow)
        loader.start("int8")
        assert loader.take() is None
        gate.set()
        loader._thread.join(30)
        error = loader.take()
        assert isinstance(error, ModelError)

    def test_any_failure_is_told(self):
        loader = Loader(lambda name: [][0])
        loader.start("int8")
        loader._thread.join(30)
        assert str(loader.take()) == "variant int8: IndexError: list index out of range"

    def test_tidying_gives_memory_back_in_a_thread(self, monkeypatch):
        threads = []
        began = threading.Event()

        def give():
            began.wait(0.2)  # while the next load is asked for
            threads.append(threading.current_thread().name)

        monkeypatch.setattr("edgekit.rungs.give_memory_back", give)
        loader = Loader(lambda name: [][0])
        loader.tidy()
        loader.start("int8")  # waits for it
        assert threads == ["edgekit-variant"]
        loader.close()

    def test_closing_waits(self, tiny_bundle):
        path = tiny_bundle()
        loader = Loader(lambda name: load(path, name))
        loader.start("int8")
        loader.close()
        assert loader.take() is None
        assert not [thread for thread in threading.enumerate() if thread.name == "edgekit-variant"]
