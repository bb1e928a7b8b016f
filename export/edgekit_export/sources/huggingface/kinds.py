"""Which module builds the source of which transformers class.

Most classes of one task differ in nothing that matters here, so the table is by the end of the class's name
(``…ForImageClassification``); an architecture has a line of its own only where that way does not do.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from edgekit.errors import ModelError
from edgekit_export.architectures.registry import with_pictures
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.source import Source

Build = Callable[[HfFolder, BareInput], Source]
"""``build(folder, asked)`` of a builder's module; ``asked`` is what the command line says of the input."""

ARCHITECTURES: dict[str, str] = {"WhisperForConditionalGeneration": "speech_whisper"}
"""Class → module, for those that the kind's own module does not do."""

KINDS: dict[str, str] = {
    "ForCTC": "speech_ctc",
    "ForImageClassification": "image_classification",
    "ForObjectDetection": "object_detection",
    "ForSequenceClassification": "sequence_classification",
    "Model": "sentence_embedding",
}
"""End of a class's name → module of this package with a function ``build``."""

GENERATES = "ForCausalLM"
"""End of the names of language models: no source of one graph, but :func:`text_generation.open_hf_text`'s."""


def generates_text(folder: HfFolder) -> bool:
    """Whether a folder holds a language model: ``text_generation.open_hf_text`` reads those that are supported and
    says which they are; ``vision_language.open_hf_vision_language`` those that also look at pictures.
    """
    name = folder.architectures[0]
    return name.endswith(GENERATES) or with_pictures(name) is not None


def builder_of(folder: HfFolder) -> Build:
    """The function that makes a source of a folder.

    Raises:
        ModelError: a class that no module builds.
    """
    name = "Model" if folder.has("modules.json") else folder.architectures[0]  # of sentence-transformers
    module = ARCHITECTURES.get(name) or next((m for end, m in KINDS.items() if name.endswith(end)), None)
    if module is None:
        kinds = ", ".join(sorted([*ARCHITECTURES, *(f"…{end}" for end in (*KINDS, GENERATES))]))
        raise ModelError(
            f"{folder.origin}: no way to export the architecture {name}",
            f"supported are {kinds}; or export it to ONNX and give the .onnx file",
        )
    build: Build = import_module(f"edgekit_export.sources.huggingface.{module}").build
    return build
