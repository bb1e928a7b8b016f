"""Decisions that flipped, both ways, as bars from the middle."""

from __future__ import annotations

from edgekit.report.plots.svg import figure, line, text

HEIGHT = 44


def flips_plot(right_to_wrong: int, wrong_to_right: int) -> str:
    """What was lost to the left, what was won to the right; of no length where nothing flipped."""
    most = max(right_to_wrong, wrong_to_right, 1)
    lost, won = (round(46 * count / most, 2) for count in (right_to_wrong, wrong_to_right))
    parts = [
        f'<rect class="lost" x="{50 - lost:g}%" width="{lost:g}%" y="0" height="20"/>',
        f'<rect class="won" x="50%" width="{won:g}%" y="0" height="20"/>',
        line("axis", (50, 50), (0, 24)),
        text(49, 38, f"{right_to_wrong:,} right to wrong", "label", "end"),
        text(51, 38, f"{wrong_to_right:,} wrong to right", "label", "start"),
    ]
    return figure(f"{right_to_wrong:,} right to wrong, {wrong_to_right:,} wrong to right", HEIGHT, parts)
