"""Noise layer by layer, of bundles that exist already: measured by another distribution, found by entry point.

Looking into a graph takes tools that a device does not have; edgekit-export brings them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeAlias, cast

from edgekit.bundle.manifest import Variant
from edgekit.bundle.reader import Bundle
from edgekit.errors import EnvironmentLacks, UsageError
from edgekit.evaluation.origin import GraphOrigin
from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Content

PROVIDERS = "edgekit.layers"
"""Entry-point group: model format → :data:`Provider`."""

Files: TypeAlias = Mapping[str, Path]
Feeds: TypeAlias = Mapping[str, Sequence[Mapping[str, Array]]]
"""Role → inputs of that graph, input name → array."""

Provider: TypeAlias = Callable[[Files, Files, Feeds, Callable[..., Any]], dict[str, GraphOrigin]]
"""Model files of the reference and of the candidate by role, feeds, and what to call as work goes on."""


def layer_origins(
    reference: tuple[Bundle, Variant],
    candidate: tuple[Bundle, Variant],
    feeds: Feeds,
    advance: Callable[..., Any] = lambda: None,
) -> dict[str, GraphOrigin]:
    """Where the noise of each graph comes from; without stages, which only an export knows.

    Args:
        reference: the full-precision bundle and its variant.
        candidate: the bundle that was written with it, and one of its variants.
        feeds: see :func:`feeds_of`.
        advance: called as work goes on.

    Raises:
        EnvironmentLacks: the distribution that can look into these models is not installed.
        UsageError: the two have other graphs, or models of formats that nobody can compare.
        ModelError: they are not of the same network.
    """
    ours, theirs = reference[1].models, candidate[1].models
    if ours.keys() != theirs.keys():
        raise UsageError(
            f"layers: {reference[0].path.name} has the graphs {', '.join(ours)}, "
            f"{candidate[0].path.name} {', '.join(theirs)}",
            "compare a bundle with the reference that was written with it",
        )
    provider = _provider({model.format for model in [*ours.values(), *theirs.values()]})
    return provider(_files(*reference), _files(*candidate), feeds, advance)


def feeds_of(task: Task, inputs: Iterable[Content]) -> dict[str, list[Mapping[str, Array]]]:
    """What each graph of a task is given on a few inputs; a recogniser sees the crops that its detector makes.

    Args:
        task: the full-precision variant.
        inputs: some eight; all their feeds are held.

    Returns:
        Role → feeds; a graph that was never called is not in it.
    """
    feeds: dict[str, list[Mapping[str, Array]]] = {}
    for given in inputs:
        trace = Trace()
        task(given, trace)
        for call in trace.calls:
            feeds.setdefault(call.role, []).append(call.feeds)
    return feeds


def _provider(formats: Collection[str]) -> Provider:
    if set(formats) != {"onnx"}:
        raise UsageError(
            f"layers: expected ONNX models on both sides, got {' and '.join(sorted(formats))}",
            "measure without layers",
        )
    found = list(entry_points(group=PROVIDERS, name="onnx"))
    if not found:
        raise EnvironmentLacks(
            "layers: need edgekit-export, which is not installed", "pip install edgekit-export"
        )
    return cast(Provider, found[0].load())


def _files(bundle: Bundle, variant: Variant) -> dict[str, Path]:
    folder = bundle.folder()
    return {role: folder / model.path for role, model in variant.models.items()}
