"""Small random vision-language models of transformers, as folders."""

import json

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from export.tests.sources.text_checkpoints import CHARACTERS, MERGES, _moved

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
    *(f"<row_{row}_col_{col}>" for row in (1, 2, 3, 4) for col in (1, 2, 3, 4)),
    "<start_of_image>",
    "<end_of_image>",
)
VOCABULARY = 288
SOFT = "<image_soft_token>"
"""Gemma 3's placeholder, behind all others."""
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% else %} {{ part['text'] }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""As SmolVLM's."""
GEMMA_TEMPLATE = TEMPLATE.replace("<image>", "<start_of_image>")


def tokenizer(*more: str) -> Tokenizer:
    """Byte-level, a few merges, and the marks that stand around pictures; ``more`` special tokens behind."""
    tokens = [*SPECIAL, *CHARACTERS, *(merge.replace(" ", "") for merge in MERGES), *more]
    merges = [tuple(merge.split(" ")) for merge in MERGES]
    made = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, normalized=False) for token in (*SPECIAL, *more)])
    return made


def tiny_idefics3(kind="Idefics3", *, tied=True, text=None, vision=None, **other):
    """A SmolVLM: pictures of up to 64 pixels, 16 tokens a tile there."""
    torch.manual_seed(5)
    config = getattr(transformers, f"{kind}Config")(
        text_config={
            "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 96,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 256, "rope_parameters": {"rope_type": "default", "rope_theta": 20000.0},
            "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 3, "pad_token_id": 0,
            **(text or {}),
        },
        vision_config={
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
            "image_size": 64, "patch_size": 8,
            **(vision or {}),
        },
        **{"scale_factor": 2, "image_token_id": SPECIAL.index("<image>"), "tie_word_embeddings": tied, **other},
    )  # fmt: skip
    network = getattr(transformers, f"{kind}ForConditionalGeneration")(config)
    network.generation_config.eos_token_id = 3
    return _loud(network)


def tiny_gemma3_pictures(*, text=None, **other):
    """Gemma 3 with eyes: 64 pixels, 16 tokens, which are more than five of six layers look back at."""
    torch.manual_seed(6)
    config = transformers.Gemma3Config(
        text_config={
            "vocab_size": VOCABULARY + 2, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 7,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "query_pre_attn_scalar": 32,
            "max_position_embeddings": 256, "sliding_window": 12, "bos_token_id": 1, "eos_token_id": 3,
            "pad_token_id": 0, "rope_parameters": {
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
                "full_attention": {"rope_type": "linear", "rope_theta": 1_000_000.0, "factor": 8.0},
            },
            **(text or {}),
        },
        vision_config={
            "model_type": "siglip_vision_model", "hidden_size": 64, "intermediate_size": 128,
            "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 64, "patch_size": 8,
        },
        **{
            "mm_tokens_per_image": 16, "image_token_index": VOCABULARY,
            "boi_token_index": SPECIAL.index("<start_of_image>"), "eoi_token_index": SPECIAL.index("<end_of_image>"),
            "eos_token_id": 3,
            **other,
        },
    )  # fmt: skip
    network = transformers.Gemma3ForConditionalGeneration(config)
    network.generation_config.eos_token_id = 3
    return _loud(network)


def _loud(network):
    """Weights large enough that pictures and questions make a difference."""
    network = _moved(network)
    with torch.no_grad():
        for name, values in network.named_parameters():
            if values.ndim > 1 and "embed_tokens" not in name:
                values.mul_(4)
            if "bias" in name or "position_embedding" in name or "mm_input_projection" in name:
                values.add_(torch.randn_like(values) * 0.2)
    return network


def write_vision_folder(network, path, *, size=64, longest=96, **saving):
    """As ``save_pretrained`` leaves it, with a processor's settings and a tokenizer."""
    network.save_pretrained(path, **saving)
    gemma = "Gemma3" in type(network).__name__
    sides = {"size": {"height": size, "width": size}} if gemma else {
        "size": {"longest_edge": longest}, "max_image_size": {"longest_edge": size}, "do_image_splitting": True
    }  # fmt: skip
    kind = "Gemma3" if gemma else type(network).__name__.removesuffix("ForConditionalGeneration")
    (path / "preprocessor_config.json").write_text(
        json.dumps({"image_processor_type": f"{kind}ImageProcessor", **sides})
    )
    (tokenizer(SOFT) if gemma else tokenizer()).save(str(path / "tokenizer.json"))
    template = GEMMA_TEMPLATE if gemma else TEMPLATE
    special = {"eos_token": "<end_of_utterance>", "bos_token": "<|im_start|>"}
    if gemma:
        special |= {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": SOFT}
    (path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template, **special})
    )
    return path
