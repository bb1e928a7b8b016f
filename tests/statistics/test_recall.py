import numpy as np
import pytest

from edgekit.statistics.recall import answerable, recalled


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
    found = recalled(vectors, labels, sources, k)
    assert found.tolist() == by_hand(vectors, labels, sources, k)
    assert 0.2 < found.mean() < 1


def test_the_own_source_does_not_count():
    vectors = np.array([[1, 0], [1, 0], [0.9, 0.1], [0, 1]])
    labels = np.array([0, 0, 1, 0])
    assert recalled(vectors, labels, np.array([0, 0, 1, 2])).tolist() == [False, False, False, False]
    assert recalled(vectors, labels, np.arange(4)).tolist() == [True, True, False, False]


def test_one_vector_for_everything_finds_nothing():
    labels = np.arange(40) % 2
    for vector in (np.ones(8), np.zeros(8)):
        assert not recalled(np.tile(vector, (40, 1)), labels, np.arange(40), k=20).any()


def test_answerable():
    labels, sources = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 2, 3])
    assert answerable(labels, sources).tolist() == [True, True, False, False, False]
