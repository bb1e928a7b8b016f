"""Small towers with random weights: transformers' own modules, and their tensors by our names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from edgekit_export.architectures.vision import (
    CONNECTOR_NORM,
    PATCH_BIAS,
    PATCH_WEIGHT,
    POSITION,
    PROJECTION,
    VisionShape,
)

SMALL = VisionShape("idefics3", 64, 4, 32, 2, 4, 64, 1e-6, "pixel_shuffle", 2, 24)
GEMMA = VisionShape("gemma3", 24, 4, 32, 2, 4, 64, 1e-6, "average_pool", 2, 24)

Reference = Callable[[np.ndarray], np.ndarray]


def vision_config(shape: VisionShape) -> dict[str, object]:
    return {
        "hidden_size": shape.hidden, "intermediate_size": shape.intermediate, "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads, "patch_size": shape.patch, "image_size": shape.image_size,
        "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": shape.epsilon,
    }  # fmt: skip


def idefics3(shape: VisionShape = SMALL) -> tuple[dict[str, np.ndarray], Reference]:
    """Tensors, and transformers' features of pictures."""
    torch.manual_seed(5)
    from transformers import Idefics3Config
    from transformers.models.idefics3.modeling_idefics3 import Idefics3Connector, Idefics3VisionTransformer

    text = {"model_type": "llama", "hidden_size": shape.output, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 8, "vocab_size": 16, "pad_token_id": 2}  # fmt: skip
    config = Idefics3Config(text_config=text, vision_config=vision_config(shape), scale_factor=shape.scale)
    config.vision_config._attn_implementation = "sdpa"
    tower, connector = (
        _lively(Idefics3VisionTransformer(config.vision_config)),
        _lively(Idefics3Connector(config)),
    )
    tensors = _tower_tensors(dict(tower.state_dict()))
    tensors[PROJECTION] = connector.modality_projection.proj.weight.detach().numpy()
    return tensors, _reference(lambda x: connector(tower(x).last_hidden_state))


def gemma3(shape: VisionShape = GEMMA) -> tuple[dict[str, np.ndarray], Reference]:
    """Tensors, and transformers' features of pictures."""
    torch.manual_seed(5)
    from transformers import Gemma3Config
    from transformers.models.gemma3.modeling_gemma3 import Gemma3MultiModalProjector
    from transformers.models.siglip.modeling_siglip import SiglipVisionModel

    tokens = (shape.image_size // shape.patch // shape.scale) ** 2
    text = {"hidden_size": shape.output, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 16}
    vision = {"model_type": "siglip_vision_model", "vision_use_head": False, **vision_config(shape)}
    config = Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=tokens)
    tower, projector = SiglipVisionModel(config.vision_config), Gemma3MultiModalProjector(config)
    tower, projector = _lively(tower), _lively(projector)
    state = {name.removeprefix("vision_model."): value for name, value in tower.state_dict().items()}
    tensors = _tower_tensors(state)
    tensors[PROJECTION] = projector.mm_input_projection_weight.detach().numpy().T
    tensors[CONNECTOR_NORM] = 1 + projector.mm_soft_emb_norm.weight.detach().numpy()
    return tensors, _reference(lambda x: projector(tower(x).last_hidden_state))


def pictures(count: int, size: int, seed: int = 3) -> np.ndarray:
    """``(count, 3, size, size)`` within ±1: waves and steps, as in nobody's photographs."""
    rng = np.random.default_rng(seed)
    at = np.linspace(0, 3, size)
    wave = np.sin(
        rng.uniform(1, 9, (count, 3, 1, 1)) * at[:, None] + rng.uniform(1, 9, (count, 3, 1, 1)) * at
    )
    return np.clip(wave * 0.7 + rng.normal(size=(count, 3, size, size)) * 0.1, -1, 1).astype(np.float32)


def _lively(module: torch.nn.Module) -> torch.nn.Module:
    """Norms and biases that do something: fresh ones are 1 and 0."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in module.parameters():
            size = 0.3 if parameter.ndim == 1 else parameter.shape[-1] ** -0.5
            parameter.add_(size * torch.randn(parameter.shape, generator=generator))
    return module.eval()


def _tower_tensors(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    outside = {
        "embeddings.patch_embedding.weight": PATCH_WEIGHT,
        "embeddings.patch_embedding.bias": PATCH_BIAS,
        "embeddings.position_embedding.weight": POSITION,
    }
    return {
        outside.get(name) or f"vision.{name.removeprefix('encoder.')}": value.numpy()
        for name, value in state.items()
        if name in outside or name.startswith(("encoder.layers", "post_layernorm"))
    }


def _reference(run: Callable[[torch.Tensor], torch.Tensor]) -> Reference:
    def features(pixels: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return run(torch.from_numpy(pixels)).numpy()

    return features
