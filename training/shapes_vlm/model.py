"""The network: SmolVLM's architecture (Idefics3) at 3.6 million parameters."""

from transformers import Idefics3Config, Idefics3ForConditionalGeneration, LlamaConfig
from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig

from training.shapes_vlm.pictures import SIDE_PX

HIDDEN = 192
HEADS = 3  # of 64 each
LAYERS = 4
PATCH_PX = 8
SCALE = 2  # pixel shuffle: 8 × 8 patches become 4 × 4 image tokens


def make_model(
    vocabulary: int, image_id: int, start_id: int, end_id: int, pad_id: int
) -> Idefics3ForConditionalGeneration:
    """The network with fresh weights, drawn from torch's generator (seed it first)."""
    vision = Idefics3VisionConfig(
        hidden_size=HIDDEN,
        intermediate_size=4 * HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        image_size=SIDE_PX,
        patch_size=PATCH_PX,
        initializer_range=0.02,
    )
    text = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        intermediate_size=512,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=1,
        head_dim=HIDDEN // HEADS,
        max_position_embeddings=1024,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=start_id,
        eos_token_id=end_id,
        pad_token_id=pad_id,
    )
    config = Idefics3Config(
        vision_config=vision.to_dict(),
        text_config=text.to_dict(),
        image_token_id=image_id,
        scale_factor=SCALE,
        tie_word_embeddings=True,
        bos_token_id=start_id,
        eos_token_id=end_id,
        pad_token_id=pad_id,
    )
    return Idefics3ForConditionalGeneration(config)
