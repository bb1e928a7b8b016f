"""A Llama folder of Hugging Face as a GGUF file in float32, with the metadata of the file that it came from.

python benchmarks/text_quantiser/to_gguf.py reference/ SOURCE.gguf reference.gguf
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter

from edgekit_export.architectures.architecture import tensor_shapes
from edgekit_export.architectures.registry import by_gguf_name
from edgekit_export.quantize.text_stream import dense
from edgekit_export.sources.text_source import text_source


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("metadata", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    source = text_source(args.folder)
    assert source is not None
    model = source.model
    architecture = by_gguf_name(model.shape.architecture, model.origin)
    writer = GGUFWriter(args.out, model.shape.architecture)
    for key, field in GGUFReader(args.metadata).fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type"):
            continue
        if field.types[0] == GGUFValueType.ARRAY:
            writer.add_array(key, field.contents())
        else:
            writer.add_key_value(key, field.contents(), field.types[0])
    for name in tensor_shapes(model.shape):
        weight, order = dense(model, name), architecture.gguf_rows(name, model.shape)
        # the table says where in the file each of our rows lies
        stored = weight if order is None else weight[np.argsort(order)]
        writer.add_tensor(architecture.gguf_name(name), np.ascontiguousarray(stored))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
