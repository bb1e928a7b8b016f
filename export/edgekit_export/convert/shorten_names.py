"""Pass: short, stable names, and nothing in the file that does not compute.

Names are what a file carries twice for every tensor: FastestDet spent 90 kB of 500 on them. A tensor is named
after the operator that makes it and a running number (``conv12``), constants after the tensor they belong to
(``conv12.w``), so that a report still reads.
"""

from __future__ import annotations

import onnx

from edgekit_export.convert.graph import GraphView, fresh_name

_PARAMETER_SUFFIXES = {
    "Conv": ("", "w", "b"),
    "ConvTranspose": ("", "w", "b"),
    "Gemm": ("", "w", "b"),
    "MatMul": ("w", "w"),
}


def shorten_names(model: onnx.ModelProto) -> None:
    """Renames every tensor but the graph's inputs and outputs; nodes lose their names."""
    view = GraphView(model)
    fixed = {*view.inputs, *view.outputs}
    names = {name: name for name in fixed}
    taken = fixed | {name for name in view.constants if not view.uses(name)}
    counts: dict[str, int] = {}
    for node in model.graph.node:
        stem = node.op_type.lower()
        for output in node.output:
            if output and output not in names:
                names[output] = _numbered(stem, counts, taken)
    for node in model.graph.node:
        suffixes = _PARAMETER_SUFFIXES.get(node.op_type, ())
        owner = names[next(output for output in node.output if output)]
        for position, name in enumerate(node.input):
            if name in view.constants and name not in names:
                suffix = (
                    suffixes[position] if position < len(suffixes) and suffixes[position] else f"c{position}"
                )
                names[name] = fresh_name(taken, f"{owner}.{suffix}")
    _apply(model, names)


def _numbered(stem: str, counts: dict[str, int], taken: set[str]) -> str:
    while True:
        counts[stem] = counts.get(stem, -1) + 1
        name = f"{stem}{counts[stem]}"
        if name not in taken:
            taken.add(name)
            return name


def _apply(model: onnx.ModelProto, names: dict[str, str]) -> None:
    for node in model.graph.node:
        node.ClearField("name")
        for names_of in (node.input, node.output):
            for position, name in enumerate(names_of):
                names_of[position] = names.get(name, name)
    for tensor in model.graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for value in model.graph.value_info:
        value.name = names.get(value.name, value.name)


def strip_metadata(model: onnx.ModelProto) -> None:
    """Drops doc strings, producer, metadata and shapes of inner tensors; sets nothing in their place."""
    for field in ("producer_name", "producer_version", "domain", "model_version", "doc_string"):
        model.ClearField(field)
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.quantization_annotation[:]
    model.graph.ClearField("doc_string")
    model.graph.name = "g"
    for part in [*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output]:
        part.ClearField("doc_string")
        del part.metadata_props[:]
    for node in model.graph.node:
        for item in node.attribute:
            item.ClearField("doc_string")


def drop_unused_opsets(model: onnx.ModelProto) -> None:
    """Keeps the opset imports of domains that a node uses; the default domain is written as ``""``."""
    for part in [*model.graph.node, *model.opset_import]:
        if part.domain == "ai.onnx":
            part.domain = ""
    used = {node.domain for node in model.graph.node} | {""}
    kept = sorted((o.domain, o.version) for o in model.opset_import if o.domain in used)
    del model.opset_import[:]
    for domain, version in kept:
        model.opset_import.add(domain=domain, version=version)
