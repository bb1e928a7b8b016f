"""Values of one layer in full and in reduced precision, in the same bins."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgekit.evaluation.origin import Histogram
from edgekit.report.plots.axis import Axis
from edgekit.report.plots.svg import figure, stretched

HEIGHT = 176
_SPAN = 130.0


def histogram_plot(histogram: Histogram) -> str:
    """Both overlaid, counts on a logarithmic scale: quantised values gather in few bins, outliers in rare ones."""
    edges = histogram.edges
    top = max(1.0, *(math.log1p(count) for count in (*histogram.reference, *histogram.candidate)))
    label = (
        f"histogram of {histogram.layer}: {sum(histogram.reference):,} values of the reference and "
        f"{sum(histogram.candidate):,} of the candidate between {edges[0]:.4g} and {edges[-1]:.4g}"
    )
    sides = (
        f'<path class="{name}" d="{_outline(edges, counts, top)}"/>'
        for name, counts in (("reference", histogram.reference), ("candidate", histogram.candidate))
    )
    axis = Axis(edges[0], edges[-1])
    parts = [stretched((1000, _SPAN), (6, _SPAN), sides), *axis.drawn(_SPAN + 6, "value")]
    return figure(label, HEIGHT, parts)


def _outline(edges: Sequence[float], counts: Sequence[int], top: float) -> str:
    span = edges[-1] - edges[0]
    x = [round(1000 * (edge - edges[0]) / span, 1) for edge in edges]
    y = [round(_SPAN * (1 - math.log1p(count) / top), 1) for count in counts]
    steps = (f"V{level:g}H{right:g}" for level, right in zip(y, x[1:], strict=True))
    return f"M0 {_SPAN:g}" + "".join(steps) + f"V{_SPAN:g}Z"
