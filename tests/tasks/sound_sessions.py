"""Engines whose graphs are functions, for tests of tasks that hear."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from edgekit.engines.protocol import TensorSpec


class Graph:
    """A session around ``function(feeds) -> list of arrays``; remembers what it was given."""

    def __init__(self, inputs, outputs, function):
        self.inputs = tuple(TensorSpec(name, dtype, shape) for name, dtype, shape in inputs)
        self.outputs = tuple(TensorSpec(name, "float32", ()) for name in outputs)
        self.function, self.given = function, []

    def run(self, feeds):
        self.given.append(dict(feeds))
        return self.function(feeds)


def engine_of(graphs):
    """Path of a model → its graph."""
    return SimpleNamespace(name="made", version="1", load=lambda path, options: graphs[path.name])


def loudness():
    """Score of a window: its loudness, or half of the one before if that is louder, which it carries."""

    def run(feeds):
        loud = np.maximum(np.abs(feeds["input"]).max(axis=1, keepdims=True), feeds["state"] / 2)
        return [loud.astype(np.float32), loud.astype(np.float32)]

    return Graph([("input", "float32", (1, 20)), ("state", "float32", (1, 1))], ["score", "next"], run)


def counter(vocabulary=12, end=9):
    """A decoder whose best next token is the last one and 1 more; the memory says by how much more the first is.

    It keeps one number a token, so that what is carried must have grown by what was given before.
    """

    def run(feeds):
        ids, past = feeds["ids"], feeds["past"]
        kept = np.concatenate([past, ids[None, :, :, None].astype(np.float32)], axis=2)
        scores = np.zeros((1, ids.shape[1], vocabulary), np.float32)
        for i, token in enumerate(ids[0]):
            following = int(token) + 1 + (int(feeds["memory"].max()) if token == 0 else 0)
            scores[0, i, min(following, end)] = 3
            scores[0, i, 5] += 2
        return [scores, kept]

    inputs = [
        ("ids", "int64", (1, None)),
        ("memory", "float32", (1, 4)),
        ("past", "float32", (1, 1, None, 1)),
    ]
    return Graph(inputs, ["logits", "present"], run)
