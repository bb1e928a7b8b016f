from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from edgekit.engines.protocol import TensorSpec
from edgekit.evaluation.noise import OutputNoise, noise_of
from edgekit.tasks.trace import Call, Trace


def trace(*calls):
    """Calls as (role, input value, outputs)."""
    made = Trace()
    made.calls = [
        Call(role, None, {"x": np.array([given], np.float32)}, list(outputs))
        for role, given, outputs in calls
    ]
    return made


def test_one_graph_is_compared_whatever_goes_in():
    one, other = trace(("model", 1, [np.array([3.0, 4.0])])), trace(("model", 2, [np.array([3.0, 3.0])]))
    assert noise_of(one, other) == (25.0, 1.0)
    assert noise_of(one, one) == (25.0, 0.0)


def test_one_graph_that_carries_something_is_compared_as_a_whole():
    one, other = (
        trace(("model", 1, [np.array([3.0]), np.zeros(2)]), ("model", state, [np.array([4.0]), np.zeros(2)]))
        for state in (5, 6)
    )
    assert noise_of(one, other) == (25.0, 0.0)
    specs = (TensorSpec("score", "float32", (1,)), TensorSpec("state", "float32", (2,)))
    session = SimpleNamespace(outputs=specs)
    for made, kept in ((one, [9.0, 9.0]), (other, [7.0, 7.0])):
        made.calls = [replace(call, session=session, kept=frozenset({"state"})) for call in made.calls]
        made.calls[0].outputs[1][:] = kept
    assert noise_of(one, other) == (25.0, 0.0)


def test_last_graph_of_two_where_its_input_is_the_same():
    one = trace(
        ("detect", 0, [np.zeros(4)]),
        ("recognize", 1, [np.array([2.0])]),
        ("recognize", 2, [np.array([2.0, 0.0])]),
    )
    same = trace(
        ("detect", 0, [np.ones(4)]),
        ("recognize", 1, [np.array([1.0])]),
        ("recognize", 2, [np.array([2.0, 0.0])]),
    )
    other_box = trace(
        ("detect", 0, [np.ones(4)]),
        ("recognize", 1, [np.array([1.0])]),
        ("recognize", 3, [np.array([2.0, 0.0])]),
    )
    other_shape = trace(
        ("detect", 0, [np.ones(4)]), ("recognize", 1, [np.array([1.0, 1.0])]), ("recognize", 2, [np.zeros(2)])
    )
    fewer = trace(("detect", 0, [np.ones(4)]), ("recognize", 1, [np.array([1.0])]))
    assert noise_of(one, same) == (8.0, 1.0)
    assert [noise_of(one, other) for other in (other_box, other_shape, fewer, trace())] == [None] * 4
    assert noise_of(trace(), one) is None


def test_adds_up_over_samples():
    noise = OutputNoise()
    assert (noise.sqnr.samples, noise.sqnr.db) == (0, None)
    noise.add(25.0, 1.0)
    noise.add(100.0, 4.0)
    assert noise.sqnr.samples == 2
    assert noise.sqnr.db == pytest.approx(10 * np.log10(25))
