"""Pass: raise the default-domain opset, so that per-channel quantisation and new operators are legal."""

from __future__ import annotations

import onnx
from onnx import version_converter

from edgekit.errors import ModelError

OPSET = 18
"""The opset of every graph we write: the oldest that torch's exporter gives, and ≥ 13 for per-channel Q/DQ."""

IR_VERSION = 8
"""The oldest file format version that may hold opset 18, so that older runtimes read it too."""


def default_opset(model: onnx.ModelProto) -> int:
    """Version of the default domain, 1 where none is named."""
    return next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)


def raise_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model at :data:`OPSET`; one that is newer stays as it is.

    Raises:
        ModelError: an operator has no conversion.
    """
    version = default_opset(model)
    if version < OPSET:
        model.ir_version = max(model.ir_version, 4)  # before 4, initialisers had to be inputs as well
        try:
            model = version_converter.convert_version(model, OPSET)
        except Exception as error:
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise ModelError(
                f"model has opset {version}, expected {OPSET}; it cannot be converted: {reason}",
                f"export it again with opset {OPSET}",
            ) from error
    model.ir_version = IR_VERSION if default_opset(model) <= OPSET else max(model.ir_version, IR_VERSION)
    return model
