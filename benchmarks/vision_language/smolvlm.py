"""A folder of SmolVLM-256M-Instruct's true shape with random weights: for size and speed, never for accuracy.

    python -m benchmarks.vision_language.smolvlm smolvlm/

Shapes, token ids, the processor's settings and the template are those of the model's page on the hub; the tokenizer is
SmolLM2's, out of the package of `smollm2-135m`, with the marks of pictures behind it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from transformers import Idefics3Config, Idefics3ForConditionalGeneration

from benchmarks.vision_language.checkpoint import VOCABULARY, tokenizer, write_checkpoint

ROWS = COLUMNS = 6
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{ line['text'] }}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
TEXT = {
    "model_type": "llama",
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "head_dim": 64,
    "intermediate_size": 1536,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 8192,
    "rope_parameters": {"rope_type": "default", "rope_theta": 100_000.0},
    "rms_norm_eps": 1e-5,
    "bos_token_id": 1,
    "eos_token_id": 49_279,
    "pad_token_id": 2,
}
VISION = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "patch_size": 16,
    "image_size": 512,
}


def marks() -> list[str]:
    """Of pictures, whole and split."""
    grid = [f"<row_{row}_col_{column}>" for row in range(1, ROWS + 1) for column in range(1, COLUMNS + 1)]
    return ["<global-img>", *grid, "<fake_token_around_image>", "<image>"]


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tied", action="store_true", help="one table for embedding and head")
    args = parser.parse_args()
    words = tokenizer(marks(), "<|reserved_special_token_{}|>", ["<end_of_utterance>"])
    torch.manual_seed(0)
    config = Idefics3Config(
        text_config=TEXT,
        vision_config=VISION,
        scale_factor=4,
        image_token_id=words.token_to_id("<image>"),
        tie_word_embeddings=args.tied,
    )
    network = Idefics3ForConditionalGeneration(config).eval()
    network.generation_config.eos_token_id = words.token_to_id("<end_of_utterance>")
    settings = {
        "preprocessor_config.json": {
            "image_processor_type": "Idefics3ImageProcessor",
            "size": {"longest_edge": 2048},
            "max_image_size": {"longest_edge": 512},
            "do_image_splitting": True,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
        },
        "processor_config.json": {"processor_class": "Idefics3Processor", "image_seq_len": 64},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|im_start|>",
            "eos_token": "<end_of_utterance>",
            "chat_template": TEMPLATE,
        },
    }
    write_checkpoint(args.folder, network, words, settings)


if __name__ == "__main__":
    main()
