"""All that building a quantised graph needs, collected once, for any choice of modes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import onnx

from edgekit_export.quantize.covariance import Moments
from edgekit_export.quantize.observe import Histogram
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.quantize.weights import Codes, LayerWeights
from edgekit_export.quantize.write_qdq import Code


@dataclass(slots=True)
class Calibrated:
    """Statistics of a float graph over calibration data.

    Attributes:
        model: float graph, its picture's mean made whole.
        recipe: the recipe asked for.
        pixels: codes given by the uint8 picture.
        histograms: tensor → what it was.
        moments: layer → moments of what it reads.
        input_scales: layer → scale of its uint8 input, where all layers have codes.
        rounded: layer and bits → integer weight and corrected bias, made when first needed.
    """

    model: onnx.ModelProto
    recipe: Recipe
    pixels: Mapping[str, Code]
    histograms: Mapping[str, Histogram]
    moments: Mapping[str, Moments] = field(default_factory=dict)
    input_scales: Mapping[str, float] = field(default_factory=dict)
    rounded: dict[tuple[str, int], tuple[Codes, LayerWeights]] = field(default_factory=dict)
