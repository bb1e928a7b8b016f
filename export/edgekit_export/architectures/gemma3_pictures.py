"""Gemma 3 with eyes (Gemma Team 2025; 4B and up): SigLIP's tower, averaged patches, a norm and a projection."""

from __future__ import annotations

from math import isqrt

from edgekit.errors import ModelError
from edgekit_export.architectures.gemma3 import ARCHITECTURE as GEMMA3
from edgekit_export.architectures.picture_family import PictureFamily, tower_sizes
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.vision import VisionShape

_USUAL = {"hidden": 768, "layers": 12, "heads": 12, "intermediate": 3072, "image_size": 224, "patch": 16}
"""Transformers' ``SiglipVisionConfig``."""

_TEXT_USUAL = {"vocab_size": 262_208, "num_attention_heads": 8, "hidden_size": 2304, "num_hidden_layers": 26}
"""Transformers' ``Gemma3TextConfig``: files of the hub leave these out."""


def _read_vision(said: Settings, vision: Settings, output: int) -> VisionShape:
    sizes = tower_sizes(vision, _USUAL)
    tokens, grid = said.count("mm_tokens_per_image", 256), sizes["image_size"] // sizes["patch"]
    side = isqrt(tokens)
    if side * side != tokens or grid % side:
        raise ModelError(
            f"{said.where}: mm_tokens_per_image: expected a square whose side divides {grid} patches, got {tokens}"
        )
    return VisionShape(
        architecture="gemma3", connector="average_pool", scale=grid // side, output=output, **sizes
    )


def _tower(root: str) -> tuple[tuple[str, str], ...]:
    return (
        (f"{root}.embeddings.patch_embedding.", "vision.patch."),
        (f"{root}.embeddings.position_embedding.", "vision.position."),
        (f"{root}.encoder.layers.", "vision.layers."),
        (f"{root}.post_layernorm.", "vision.post_layernorm."),
    )


def _projector(root: str) -> tuple[tuple[str, str], ...]:
    return (
        (f"{root}.mm_input_projection_weight", "connector.projection.weight"),
        (f"{root}.mm_soft_emb_norm.", "connector.norm."),
    )


_TOWERS = (
    "vision_tower.vision_model",
    "vision_tower",
    "model.vision_tower.vision_model",
    "model.vision_tower",
)
"""As files of the hub have it, and as transformers' versions since."""

FAMILY = PictureFamily(
    name="gemma3",
    classes=("Gemma3ForConditionalGeneration",),
    text=GEMMA3,
    text_usual=_TEXT_USUAL,
    placeholder=(("image_token_index", "image_token_id"), 262_144),
    prefixes=(
        ("language_model.model.", "model."),
        ("language_model.lm_head.", "lm_head."),
        ("model.language_model.", "model."),
        *(pair for root in _TOWERS for pair in _tower(root)),
        *_projector("multi_modal_projector"),
        *_projector("model.multi_modal_projector"),
    ),
    unused=tuple(f"{root}.{part}" for root in _TOWERS for part in ("head.", "embeddings.position_ids")),
    read_vision=_read_vision,
    processors=("Gemma3",),
    norm_offset=1.0,
    projects_inputs_first=True,
)
