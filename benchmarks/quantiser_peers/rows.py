"""The rows of a table: what is compared, each a model file staged as the bundle would have it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import onnx

from benchmarks.quantiser_peers.network import THREADS, Network
from benchmarks.quantiser_peers.peer import AI_EDGE, NNCF, ONNXRUNTIME, Peer, run_module
from edgekit.bundle.reader import open_bundle
from edgekit.cli.output import progress
from edgekit.data.dataset import refuse_overlap
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import EdgekitError
from edgekit.predictions.side import TaskSide
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import load
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.quantize import Recipe
from edgekit_export.quantize.choose import recipe_for
from edgekit_export.quantize.precision import reduce_precision
from edgekit_export.quantize.recipe import HALF_WEIGHTS

FULL = "full precision"
TFLITE = b"TFL3"  # at byte 4 of a TFLite file


@dataclass(frozen=True)
class Row:
    """One row, loaded; or why there is none.

    Attributes:
        name: of the row.
        bytes: of its model files; 0 if it failed.
        task: what runs it; ``None`` if it failed.
        versions: distribution → version of what made it.
        reason: why it failed, or was skipped; empty if it runs.
    """

    name: str
    bytes: int = 0
    task: Task | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def side(self) -> TaskSide:
        """For :func:`edgekit.evaluate.compare`."""
        assert self.task is not None
        return TaskSide(self.task)


@dataclass(frozen=True)
class Asked:
    """What rows there shall be.

    Attributes:
        patterns: of names, as a shell's; full precision is always there.
        bundles: of edgekit, each variant a row.
        nncf_python: an interpreter that has NNCF, empty if none was given.
        tflite_python: one that has edgekit, its TFLite converter and ai-edge-quantizer, likewise.
        keep: folder where what the peers make is kept.
        timeout_s: for one recipe of a peer.
    """

    patterns: Sequence[str]
    bundles: Sequence[Path]
    nncf_python: str
    tflite_python: str
    keep: Path
    timeout_s: float

    def wants(self, name: str) -> bool:
        """Whether a row of that name is asked for."""
        return any(fnmatch(name, pattern) for pattern in self.patterns)

    def recipes(self, peer: Peer) -> list[str]:
        """Those of a peer's recipes that are asked for."""
        return [recipe for recipe in peer.recipes if self.wants(f"{peer.name} {recipe}")]


def rows_of(network: Network, asked: Asked) -> Iterator[Row]:
    """Full precision first, then ours, bundles, and the peers."""
    yield Row(FULL, network.reference.bytes, network.load(network.reference))
    yield from _ours(network, asked)
    for path in asked.bundles:
        yield from _of_bundle(network, path)
    asked.keep.mkdir(parents=True, exist_ok=True)
    yield from _of_onnx_peers(network, asked)
    yield from _of_tflite_peer(network, asked)


def _ours(network: Network, asked: Asked) -> Iterator[Row]:
    """edgekit's recipe as it stands in ``models/``, int8 throughout, and half precision."""
    recipe = recipe_for(network.full, network.graph.spec.quantize)
    wanted = {
        f"edgekit {recipe.name}, its recipe": recipe,
        "edgekit int8 throughout": Recipe(),
        "edgekit float16 weights": HALF_WEIGHTS,
    }
    for i, (name, used) in enumerate(wanted.items()):
        if asked.wants(name) and used not in list(wanted.values())[:i]:
            with progress(name) as advance:
                made = reduce_precision(network.full, used, network.feeds, advance)
            yield _loaded(network, name, made.model, {})


def _of_bundle(network: Network, path: Path) -> Iterator[Row]:
    """Every variant of a bundle, as it ships."""
    bundle = open_bundle(path)
    refuse_overlap(bundle.manifest.lock.calibration_sources, network.evaluation.digests)
    for variant in bundle.manifest.variants:
        task = load(path, variant.name, options=EngineOptions(threads=THREADS))
        yield Row(f"{path.name} {variant.name}", variant.bytes, task)


def _of_onnx_peers(network: Network, asked: Asked) -> Iterator[Row]:
    full = asked.keep / "full.onnx"
    onnx.save(network.full, full)
    own = Peer("onnxruntime", "onnxruntime_recipes", sys.executable, ONNXRUNTIME, asked.timeout_s)
    yield from _of_peer(network, asked, own, full)
    nncf = Peer("NNCF", "nncf_recipes", asked.nncf_python, NNCF, asked.timeout_s)
    if nncf.python or not asked.recipes(nncf):
        yield from _of_peer(network, asked, nncf, full)
    else:
        yield Row(nncf.name, reason="skipped: no interpreter was given with --nncf-python")


def _of_tflite_peer(network: Network, asked: Asked) -> Iterator[Row]:
    """ai-edge-quantizer's, beside the float graph that it is given."""
    python = asked.tflite_python
    peer = Peer("ai-edge-quantizer", "ai_edge_recipes", python, AI_EDGE, asked.timeout_s)
    if not asked.recipes(peer):
        return
    if network.graph.network is None:
        yield Row(
            peer.name, reason="skipped: this network comes as ONNX; TFLite is made of torch networks alone"
        )
        return
    if not python:
        yield Row(peer.name, reason="skipped: no interpreter was given with --tflite-python")
        return
    full = asked.keep / f"tflite_graph-{hashlib.sha256(to_bytes(network.full)).hexdigest()[:24]}.tflite"
    if not full.is_file():
        found = run_module(python, "tflite_graph", [network.source.name, str(full)], asked.timeout_s)
        if isinstance(found, str):
            yield Row(peer.name, reason=f"no TFLite graph to give it: {found}")
            return
    yield _loaded(network, f"TFLite {FULL}", full.read_bytes(), {})
    yield from _of_peer(network, asked, peer, full)


def _of_peer(network: Network, asked: Asked, peer: Peer, full: Path) -> Iterator[Row]:
    for recipe in asked.recipes(peer):
        with progress(f"{peer.name} {recipe}"):
            made = peer.make(recipe, full, network.feeds_folder, asked.keep)
        if made.reason:
            yield Row(made.name, reason=made.reason)
            continue
        tflite = made.data[4:8] == TFLITE
        graph = made.data if tflite else onnx.load_model_from_string(made.data)
        yield _loaded(network, made.name, graph, made.versions)


def _loaded(network: Network, name: str, graph: onnx.ModelProto | bytes, versions: Mapping[str, str]) -> Row:
    """Stages, loads and runs a model once; one that the engine refuses is a row with its reason."""
    try:
        variant = network.stage(name, graph)
        task = network.load(variant)
        task(next(iter(network.evaluation)).content)
    except EdgekitError as error:
        return Row(name, reason=error.message)
    return Row(name, variant.bytes, task, versions)
