"""The graph that looks at pictures: tiles in, features out; those of the last few pictures are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgekit.bundle.manifest import FeaturesHead, TilesInput, Variant
from edgekit.engines.protocol import Engine, EngineOptions, Session
from edgekit.errors import BundleError
from edgekit.tasks.given import Features, Tiles
from edgekit.tasks.outputs import output_index
from edgekit.tasks.trace import Trace
from edgekit.types import F32

VISION = "vision"
"""Role of the graph."""

KEPT_BYTES = 8 * 2**20
"""Of features that are kept: 56 tiles of SmolVLM-256M. Those that one prompt needs are held beside them."""


class Seen(NamedTuple):
    """What a prompt's pictures became.

    Attributes:
        features: of all tiles that were wanted.
        encoded: how many of them were not known.
    """

    features: Features
    encoded: int


class Vision:
    """The graph, loaded.

    Args:
        variant: its role ``vision``.
        folder: holds the members that it names.
        engine: loads the graph.
        options: how the engine runs.
        kept_bytes: most bytes of features that are kept from prompt to prompt.

    Attributes:
        input, head: as the manifest has them.
        hidden: width of a row of features.
        kept: identity → features, those used last at the end.

    Raises:
        BundleError: the variant has no such graph, or the graph gives something else than its head says.
        ModelError: the engine refuses it.
    """

    def __init__(
        self,
        variant: Variant,
        folder: Path,
        engine: Engine,
        options: EngineOptions,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        model = variant.models.get(VISION)
        if model is None or not (
            isinstance(model.input, TilesInput) and isinstance(model.head, FeaturesHead)
        ):
            raise BundleError(
                f"variant {variant.name}: expected a graph {VISION} with a tiles input and a features_head"
            )
        self.input, self.head = model.input, model.head
        self.session: Session = engine.load(folder / model.path, replace(options, frugal=True))
        self._output = output_index(self.session, model, model.head.tensor, variant)
        wanted = 1, 3, model.input.size, model.input.size
        taken = [(given.name, given.dtype, given.shape) for given in self.session.inputs]
        if taken != [(model.input.tensor, "float32", wanted)]:
            got = ", ".join(f"{given.name} {given.form}" for given in self.session.inputs)
            raise BundleError(f"{model.path}: has the inputs {got}, expected {model.input.tensor} {wanted}")
        made = self.session.outputs[self._output]
        width = made.shape[-1] if made.shape else None
        if made.dtype != "float32" or made.shape != (1, model.head.tokens, width) or not width:
            raise BundleError(
                f"{model.path}: {made.name} is {made.form}, expected float32 1×{model.head.tokens}×a fixed width"
            )
        self.hidden: int = width
        self.kept: OrderedDict[bytes, F32] = OrderedDict()
        self._most = kept_bytes // (model.head.tokens * width * 4)

    def look(
        self,
        wanted: Sequence[bytes],
        tiles: Tiles,
        cancelled: Callable[[], bool] = lambda: False,
        trace: Trace | None = None,
    ) -> Seen | None:
        """Features of tiles; only of those that are not known the graph makes them, one a call.

        Args:
            wanted: identities, each once.
            tiles: pixels of these at least.
            cancelled: asked before each call; what is encoded until then is kept.
            trace: receives the engine calls.

        Returns:
            ``None`` if it was cancelled.

        Raises:
            ModelError: the engine failed.
        """
        found: dict[bytes, F32] = {}
        encoded = 0
        for tile in wanted:
            features = self.kept.get(tile)
            if features is None:
                if cancelled():
                    return None
                with nullcontext() if trace is None else trace.stage("pre"):
                    pixels = tiles[tile]()
                features = self._encode(pixels, trace)
                encoded += 1
            found[tile] = features
            self._keep(tile, features)
        return Seen(found, encoded)

    def forget(self) -> None:
        """Every tile is encoded anew."""
        self.kept.clear()

    def _encode(self, pixels: F32, trace: Trace | None) -> F32:
        feeds = {self.input.tensor: pixels}
        run = self.session.run(feeds) if trace is None else trace.infer(VISION, self.session, feeds)
        made = run[self._output]
        if made.shape != (1, self.head.tokens, self.hidden) or made.dtype != np.float32:
            raise BundleError(f"{self.head.tensor}: gives {made.dtype} {made.shape}")
        return np.array(made[0])  # of its own: what an engine gives may be a part of more

    def _keep(self, tile: bytes, features: F32) -> None:
        self.kept[tile] = features
        self.kept.move_to_end(tile)
        while len(self.kept) > self._most:
            self.kept.popitem(last=False)
