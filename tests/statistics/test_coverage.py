"""The simulation of benchmarks/coverage.py at a size that takes seconds; its bars hold here with room for chance."""

import numpy as np
import pytest

from benchmarks.coverage import (
    MOST_FALSE_PASSES,
    MOST_MISSED,
    Counts,
    ap_cases,
    cer_cases,
    disagreement_cases,
    main,
    simulate,
    top1_cases,
)


def chance(bar, repetitions):
    """A share that a true 5 % exceeds once in thousands."""
    return bar + 3 * np.sqrt(0.05 * 0.95 / repetitions)


def holds(case, repetitions):
    found = simulate(case, repetitions, np.random.default_rng(1))
    assert max(found.above, found.below) <= chance(MOST_MISSED, repetitions), (case.kind, found)
    assert max(found.passed, found.passed_looking) <= chance(MOST_FALSE_PASSES, repetitions), (
        case.kind,
        found,
    )


@pytest.mark.parametrize("cases", [top1_cases, disagreement_cases, cer_cases])
@pytest.mark.parametrize(("n", "rate"), [(100, 0.025), (1000, 0.05)])
def test_flips_and_lines(cases, n, rate):
    for case in cases((n,), (rate,)):
        holds(case, 150)


def test_detections():
    for case in ap_cases((60,), (0.05,), population=500, seed=2):
        holds(case, 10)


def test_a_bar_that_is_missed_is_told(capsys):
    assert not Counts(above=0.08, below=0, passed=0, passed_looking=0, used=1).holds
    assert not Counts(above=0, below=0, passed=0, passed_looking=0.063, used=1).holds
    arguments = ["--metrics", "disagreement", "--sizes", "50", "--rates", "0.05", "--repetitions", "40"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "seed 1" in told
    assert "1 cases, 0 missed a bar" in told
