"""One TFLite variant of a text model as its bundle will have it; ONNX: :mod:`edgekit_export.language.staged`."""

from __future__ import annotations

from collections.abc import Callable

from edgekit.bundle.manifest import Model, Variant
from edgekit_export.language.staged import Plan, TextStaging, logits_head
from edgekit_export.sources.text_model import TextModel
from edgekit_export.variants import TFLITE_ENDING

_DECODE = "decode.tflite"


def stage_tflite_text(
    staging: TextStaging, model: TextModel, plan: Plan, context: int, advance: Callable[[], None]
) -> Variant:
    """Writes a variant's file and gives its manifest entry; see :func:`edgekit_export.language.staged.stage_text`.

    Codes of any width are stored in int8.
    """
    from edgekit_export.tflite.text_model import text_input, text_tflite

    name = plan.name + TFLITE_ENDING
    path = staging.folder / name / _DECODE
    path.parent.mkdir(parents=True)
    path.write_bytes(text_tflite(model.shape, context, plan.read_text, advance))
    decode = Model(
        path=f"{name}/{_DECODE}",
        format="tflite",
        input=text_input(model.shape, context),
        head=logits_head(staging.folder, model),
    )
    return Variant(
        name=name,
        recipe=plan.recipe,
        precision="fp32" if plan.precision == "fp32" else "int8",
        models={"decode": decode},
        bytes=path.stat().st_size,
    )
