"""Pass: attributes that say what the operator does anyway go, which exporters write by the dozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
from onnx import helper

from edgekit_export.convert.opset import default_opset


def drop_default_attributes(model: onnx.ModelProto) -> None:
    """Drops every attribute whose value is the schema's default, and a convolution's implied kernel shape."""
    version = default_opset(model)
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx"):
            continue
        defaults = onnx.defs.get_schema(node.op_type, version, "").attributes
        kept = [_copy(a) for a in node.attribute if not _says_nothing(node, a, defaults)]
        kept.sort(key=lambda a: a.name)
        del node.attribute[:]
        node.attribute.extend(kept)


def _says_nothing(node: onnx.NodeProto, item: onnx.AttributeProto, defaults: Mapping[str, Any]) -> bool:
    value = helper.get_attribute_value(item)
    if node.op_type in ("Conv", "ConvTranspose"):
        if item.name == "kernel_shape":
            return True  # the weight's own shape says it
        if item.name in ("strides", "dilations") and set(value) == {1}:
            return True
        if item.name in ("pads", "output_padding") and set(value) == {0}:
            return True
    schema = defaults.get(item.name)
    if schema is None or schema.default_value.type != item.type:
        return False
    return bool(helper.get_attribute_value(schema.default_value) == value)


def _copy(item: onnx.AttributeProto) -> onnx.AttributeProto:
    made = onnx.AttributeProto()
    made.CopyFrom(item)
    return made
