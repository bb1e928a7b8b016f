"""A folder of Gemma 3 4B's true widths at reduced depth with random weights: for shapes and speed, never for accuracy.

    python -m benchmarks.vision_language.gemma3 gemma3/ --layers 6 --vision-layers 2

Widths, windows, positions and the processor's settings are those of the model's page on the hub. Five of six layers
look back at 1,024 tokens, so that six have one that looks at everything. The tokenizer is SmolLM2's with Gemma's marks
behind it: 49,280 tokens in place of 262,208.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

from benchmarks.vision_language.checkpoint import VOCABULARY, tokenizer, write_checkpoint

MARKS = (
    "<bos>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
)
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<start_of_turn>"
    "{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<start_of_image>"
    "{% else %}{{ part['text'] | trim }}{% endif %}{% endfor %}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
TEXT = {
    "hidden_size": 2560,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "intermediate_size": 10_240,
    "query_pre_attn_scalar": 256,
    "sliding_window": 1024,
    "max_position_embeddings": 131_072,
    "rms_norm_eps": 1e-6,
    "vocab_size": VOCABULARY,
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        "full_attention": {"rope_type": "linear", "rope_theta": 1_000_000.0, "factor": 8.0},
    },
}
VISION = {
    "model_type": "siglip_vision_model",
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_attention_heads": 16,
    "patch_size": 14,
    "image_size": 896,
}


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=6, help="of the decoder (Gemma 3 4B: 34)")
    parser.add_argument("--vision-layers", type=int, default=2, help="of the tower (27)")
    args = parser.parse_args()
    words = tokenizer(MARKS, "<unused{}>")
    ids = {mark: words.token_to_id(mark) for mark in MARKS}
    torch.manual_seed(0)
    ends = {"bos_token_id": ids["<bos>"], "eos_token_id": ids["<end_of_turn>"], "pad_token_id": 0}
    config = Gemma3Config(
        text_config={**TEXT, **ends, "num_hidden_layers": args.layers},
        vision_config={**VISION, "num_hidden_layers": args.vision_layers, "vision_use_head": False},
        mm_tokens_per_image=256,
        image_token_index=ids["<image_soft_token>"],
        boi_token_index=ids["<start_of_image>"],
        eoi_token_index=ids["<end_of_image>"],
    )
    torch.set_default_dtype(torch.bfloat16)
    network = Gemma3ForConditionalGeneration(config).eval()
    network.generation_config.eos_token_id = ids["<end_of_turn>"]
    with torch.no_grad():  # a weight that begins as zero would hide what it multiplies
        network.model.multi_modal_projector.mm_input_projection_weight.normal_(0, 0.02)
    settings = {
        "preprocessor_config.json": {
            "image_processor_type": "Gemma3ImageProcessor",
            "size": {"height": 896, "width": 896},
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
        },
        "processor_config.json": {"processor_class": "Gemma3Processor", "image_seq_length": 256},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<bos>",
            "eos_token": "<end_of_turn>",
            "chat_template": TEMPLATE,
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
            "image_token": "<image_soft_token>",
        },
    }
    write_checkpoint(args.folder, network, words, settings)


if __name__ == "__main__":
    main()
