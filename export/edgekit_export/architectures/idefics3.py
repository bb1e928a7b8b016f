"""Idefics3 (Laurençon et al. 2024) and SmolVLM (Marafioti et al. 2025): SigLIP's tower, pixel shuffle, a Llama."""

from __future__ import annotations

from edgekit_export.architectures.llama import ARCHITECTURE as LLAMA
from edgekit_export.architectures.picture_family import PictureFamily, tower_sizes
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.vision import VisionShape

_USUAL = {"hidden": 1152, "layers": 12, "heads": 16, "intermediate": 3072, "image_size": 224, "patch": 32}
"""Transformers' ``Idefics3VisionConfig``."""


def _read_vision(said: Settings, vision: Settings, output: int) -> VisionShape:
    return VisionShape(
        architecture="idefics3",
        connector="pixel_shuffle",
        scale=said.count("scale_factor", 2, most=64),
        output=output,
        **tower_sizes(vision, _USUAL),
    )


FAMILY = PictureFamily(
    name="idefics3",
    classes=("Idefics3ForConditionalGeneration", "SmolVLMForConditionalGeneration"),
    text=LLAMA,
    text_usual={},
    placeholder=(("image_token_id",), 128_257),
    prefixes=(
        ("model.text_model.", "model."),
        ("model.vision_model.embeddings.patch_embedding.", "vision.patch."),
        ("model.vision_model.embeddings.position_embedding.", "vision.position."),
        ("model.vision_model.encoder.layers.", "vision.layers."),
        ("model.vision_model.post_layernorm.", "vision.post_layernorm."),
        ("model.connector.modality_projection.proj.", "connector.projection."),
    ),
    unused=("model.vision_model.embeddings.position_ids",),
    read_vision=_read_vision,
    processors=("Idefics3", "SmolVLM"),
)
