"""TFLite variants of a language model as its bundle will have them; ONNX: :mod:`edgekit_export.language.staged`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgekit.bundle.manifest import MemoryHead, Model, TokenInput, Variant
from edgekit_export.language.staged import Plan, TextStaging, logits_head
from edgekit_export.sources.eyes import Eyes
from edgekit_export.sources.text_model import TextModel
from edgekit_export.tflite.text_graph import embedding_graph
from edgekit_export.tflite.text_model import text_input, text_tflite
from edgekit_export.tflite.vision_graph import vision_tflite
from edgekit_export.variants import TFLITE_ENDING


def stage_tflite_text(
    staging: TextStaging, model: TextModel, plan: Plan, context: int, advance: Callable[[], None]
) -> Variant:
    """Writes a variant's files and gives its manifest entry; see :func:`edgekit_export.language.staged.stage_text`.

    Codes of any width are stored in int8. The decoder takes tokens, but embeddings where the model has eyes.
    """
    name = plan.name + TFLITE_ENDING
    folder = staging.folder / name
    folder.mkdir(parents=True)
    takes = "ids" if model.eyes is None else "embeddings"
    block = 0 if model.eyes is None else model.eyes.block
    graph = text_tflite(model.shape, context, plan.read_text, advance, takes, both_ways=block > 0)
    (folder / "decode.tflite").write_bytes(graph)
    decode = Model(
        path=f"{name}/decode.tflite",
        format="tflite",
        input=text_input(model.shape, context, takes, block),
        head=logits_head(staging.folder, model),
    )
    models = {"decode": decode}
    if model.eyes is not None:
        (folder / "embed.tflite").write_bytes(embedding_graph(model.shape, plan.read_text))
        models["embed"] = Model(
            path=f"{name}/embed.tflite",
            format="tflite",
            input=TokenInput(ids="input_ids"),
            head=MemoryHead(tensors=("inputs_embeds",)),
        )
    precision = "fp32" if plan.precision == "fp32" else "int8"
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Variant(name=name, recipe=plan.recipe, precision=precision, models=models, bytes=size)


def stage_tflite_towers(
    folder: Path, eyes: Eyes, plan: Plan, sizes: Sequence[int], advance: Callable[[], None]
) -> list[Model]:
    """Writes a tower for each size; see :func:`edgekit_export.vision.staged.stage_towers`."""
    read = plan.read_vision
    assert read is not None
    found = []
    for size in sizes:
        path, seen = f"{plan.name}{TFLITE_ENDING}/vision-{size}.tflite", eyes.at(size)
        (folder / path).write_bytes(vision_tflite(eyes.shape, size, read, advance))
        found.append(Model(path=path, format="tflite", input=seen.tiles, head=seen.head))
    return found
