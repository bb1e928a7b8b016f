"""Quantisation: float graph and calibration data in, QDQ graph out."""

from edgekit_export.quantize.progress import Progress
from edgekit_export.quantize.quantize import Quantized, quantize
from edgekit_export.quantize.recipe import HALF_WEIGHTS, Recipe, recipe_from

__all__ = ["HALF_WEIGHTS", "Progress", "Quantized", "Recipe", "quantize", "recipe_from"]
