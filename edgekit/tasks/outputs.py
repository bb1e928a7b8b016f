"""Which output of a loaded graph a head means."""

from __future__ import annotations

from edgekit.bundle.manifest import Model, Variant
from edgekit.bundle.messages import some_of
from edgekit.engines.protocol import Session
from edgekit.errors import BundleError


def output_index(session: Session, model: Model, wanted: str, variant: Variant) -> int:
    """Place of the output named ``wanted`` among those that the session gives.

    Raises:
        BundleError: the graph has no such output.
    """
    names = [output.name for output in session.outputs]
    if wanted not in names:
        raise BundleError(
            f"variant {variant.name}: {model.path} has the outputs {some_of(names)}, expected {wanted}"
        )
    return names.index(wanted)
