"""Where the noise of a reduced graph comes from: each layer alone, and all that came before it."""

from edgekit_export.layers.files import layer_origins
from edgekit_export.layers.origin import graph_origin

__all__ = ["graph_origin", "layer_origins"]
