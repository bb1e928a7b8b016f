from __future__ import annotations

import pytest

from edgekit.camera.patience import Patience, pause_s


def test_pauses_double_up_to_a_limit():
    assert [pause_s(i) for i in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert pause_s(10**6) == 2.0


@pytest.mark.parametrize("name", ["hang_s", "frozen_s", "give_up_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_it_checks_itself(name, value):
    with pytest.raises(ValueError, match=f"{name}: expected more than 0"):
        Patience(**{name: value})
