from __future__ import annotations

import pytest

from tests.bundle.samples import write_sample


@pytest.fixture
def sample(tmp_path):
    """Path of a small valid bundle."""
    return write_sample(tmp_path / "pets.edge")


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    """Every test has a cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EDGEKIT_CACHE_DIR", str(folder))
    return folder
