"""The model as a Hugging Face folder: float16 weights, tokenizer, processor, chat template."""

import json
from pathlib import Path

import torch
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
)


def save(network: Idefics3ForConditionalGeneration, processor: Idefics3Processor, folder: Path) -> None:
    """Writes the folder. The configuration says float32: what is stored in two bytes is computed in four."""
    processor.save_pretrained(folder)
    processor.image_processor.save_pretrained(folder)  # preprocessor_config.json, which older readers want
    network.half().save_pretrained(folder)
    network.float()
    for name in ("config.json", "generation_config.json"):
        settings = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(_float32(settings), indent=2) + "\n")


def load(folder: Path) -> tuple[Idefics3ForConditionalGeneration, Idefics3Processor]:
    """The folder's model in float32 and its processor, as anybody loads them."""
    network = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    return network.eval(), AutoProcessor.from_pretrained(folder)


def _float32(settings: dict) -> dict:
    """The settings with every `dtype`, nested ones too, as float32."""
    return {
        key: _float32(value) if isinstance(value, dict) else "float32" if key == "dtype" else value
        for key, value in settings.items()
    }
