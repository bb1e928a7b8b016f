"""Data that another distribution makes, found by entry point: edgekit-export has ``rendered:lines``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import TypeAlias, cast

from edgekit.data.need import Need
from edgekit.data.sample import Source
from edgekit.data.spec import FORMS, DataSpec
from edgekit.errors import EnvironmentLacks, UsageError

PROVIDERS = "edgekit.data"
"""Entry-point group: name → :data:`Provider`."""

Provider: TypeAlias = Callable[[DataSpec, Need], Sequence[Source]]
"""Gives the sources of a specification with the truth that a task needs, or raises ``UsageError``."""

_KNOWN = {"rendered": "edgekit-export"}


def open_provided(spec: DataSpec, need: Need) -> Sequence[Source]:
    """Sources of ``provider:what``.

    Raises:
        EnvironmentLacks: the distribution that provides it is not installed.
        UsageError: nobody provides it, or its options are wrong.
    """
    found = list(entry_points(group=PROVIDERS, name=spec.provider))
    if not found and spec.provider in _KNOWN:
        package = _KNOWN[spec.provider]
        raise EnvironmentLacks(
            f"data: {spec.text}: needs {package}, which is not installed", f"pip install {package}"
        )
    if not found:
        raise UsageError(f"data: {spec.text}: nobody provides {spec.provider!r}", f"expected {FORMS}")
    return cast(Provider, found[0].load())(spec, need)
