import numpy as np
import pytest

from edgekit.statistics.recall import answerable, nearest, ranks


def by_hand(vectors, labels, sources, k):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    right = []
    for i, query in enumerate(unit):
        others = np.flatnonzero(sources != sources[i])
        nearest = others[np.argsort(-(unit[others] @ query))[:k]]
        right.append(bool((labels[nearest] == labels[i]).any()))
    return right


@pytest.mark.parametrize("k", [1, 5])
def test_equals_the_definition(k):
    rng = np.random.default_rng(k)
    labels, sources = rng.integers(0, 20, 700), np.arange(700) // 2  # more than one block of queries
    vectors = rng.normal(0, 1, (20, 8))[labels] + rng.normal(0, 1, (700, 8))
    found = ranks(vectors, labels, sources) < k
    assert found.tolist() == by_hand(vectors, labels, sources, k)
    assert 0.2 < found.mean() < 1


def test_the_own_source_does_not_count():
    vectors = np.array([[1, 0], [1, 0], [0.9, 0.1], [0, 1]])
    labels = np.array([0, 0, 1, 0])
    assert (ranks(vectors, labels, np.array([0, 0, 1, 2])) < 1).tolist() == [False, False, False, False]
    assert (ranks(vectors, labels, np.arange(4)) < 1).tolist() == [True, True, False, False]


def test_one_vector_for_everything_finds_nothing():
    labels = np.arange(40) % 2
    for vector in (np.ones(8), np.zeros(8)):
        assert (ranks(np.tile(vector, (40, 1)), labels, np.arange(40)) >= 20).all()


def test_answerable():
    labels, sources = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 2, 3])
    assert answerable(labels, sources).tolist() == [True, True, False, False, False]


def test_ranks_and_nearest_by_hand():
    angles = np.radians([0, 10, 25, 90, 100])
    vectors, sources = np.stack([np.cos(angles), np.sin(angles)], axis=1), np.arange(5)
    labels = np.array([0, 1, 0, 1, 2])
    assert ranks(vectors, labels, sources).tolist() == [1, 2, 1, 2, 5]
    assert nearest(vectors, sources).tolist() == [1, 0, 1, 4, 3]
    assert nearest(vectors, np.array([0, 0, 1, 1, 1])).tolist() == [2, 2, 1, 1, 1]
    assert nearest(vectors, np.zeros(5)).tolist() == [-1] * 5
    assert nearest(np.ones((600, 3)), np.arange(600)).tolist() == [1, *[0] * 599]
