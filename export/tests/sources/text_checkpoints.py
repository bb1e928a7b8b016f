"""Small random text models of transformers, as folders and as GGUF files."""

import json

import gguf
import numpy as np
import torch
import transformers

CHARACTERS = (
    [chr(i) for i in range(33, 127)]
    + [chr(i) for i in (*range(161, 173), *range(174, 256))]
    + [chr(256 + i) for i in range(68)]
)
"""Bytes as byte-level BPE writes them (``bytes_to_unicode`` of GPT-2)."""
MERGES = ("Ġ t", "h e", "Ġt he", "i n", "Ġ a", "Ġa n", "Ġan d")
LLAMA_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    *CHARACTERS,
    *(m.replace(" ", "") for m in MERGES),
)
PIECES = ("▁t", "he", "▁the", "in", "▁a", "▁an", "an", "nd", "▁and", "the", *"▁abcdefghijklmnopqrstuvwxyz.,")
GEMMA_TOKENS = (
    "<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "\n", "  ",
    *(f"<0x{i:02X}>" for i in range(256)), *PIECES,
)  # fmt: skip
GEMMA_TYPES = [3, 3, 3, 3, 3, 3, 4, 4, *[6] * 256, *[1] * len(PIECES)]
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"


def tiny_llama(**other):
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        **{
            "vocab_size": 288, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128,
            "rope_theta": 20000.0, "rms_norm_eps": 1e-5, "tie_word_embeddings": True,
            "bos_token_id": 1, "eos_token_id": 2,
            **other,
        }
    )  # fmt: skip
    return _moved(transformers.LlamaForCausalLM(config))


def tiny_gemma3(**other):
    torch.manual_seed(4)
    config = transformers.Gemma3TextConfig(
        **{
            "vocab_size": 320, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 7,
            "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32, "query_pre_attn_scalar": 32,
            "max_position_embeddings": 256, "sliding_window": 16,
            **other,
        }
    )  # fmt: skip
    return _moved(transformers.Gemma3ForCausalLM(config))


def _moved(network):
    """Norms away from where they begin."""
    with torch.no_grad():
        for name, values in network.named_parameters():
            if "norm" in name:
                values.add_(torch.randn_like(values) * 0.1)
    return network.eval()


def write_folder(network, path, *, dtype=torch.float32, **saving):
    """As ``save_pretrained`` leaves it, with the tokenizer of the GGUF files."""
    network.to(dtype).save_pretrained(path, **saving)
    network.float()
    (path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE})
    )
    return path


def write_gguf(network, path, kind="F32", more=None):
    """As llama.cpp's converter writes it.

    Args:
        network: a transformers model.
        path: of the file.
        kind: type of the matrices.
        more: metadata beside or instead of the usual, ``None`` to leave a key out.
    """
    config = network.config
    llama = isinstance(config, transformers.LlamaConfig)
    writer = gguf.GGUFWriter(path, "llama" if llama else "gemma3")
    for key, value in {**_metadata(config, llama), **(more or {})}.items():
        _add(writer, key, value)
    for name, values in network.named_parameters():
        array = values.detach().numpy()
        if "norm" in name:
            writer.add_tensor(_gguf_name(name, llama), array + np.float32(not llama))
            continue
        if llama and name.endswith(("q_proj.weight", "k_proj.weight")):
            array = (
                array.reshape(-1, 2, config.head_dim // 2, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
            )
        stored = gguf.GGMLQuantizationType[kind]
        writer.add_tensor(_gguf_name(name, llama), gguf.quantize(array, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer, key, value):
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    elif value is not None:
        writer.add_array(key, value)


def _metadata(config, llama):
    prefix = "llama" if llama else "gemma3"
    found = {
        f"{prefix}.{key}": value
        for key, value in {
            "context_length": config.max_position_embeddings,
            "embedding_length": config.hidden_size,
            "block_count": config.num_hidden_layers,
            "feed_forward_length": config.intermediate_size,
            "attention.head_count": config.num_attention_heads,
            "attention.head_count_kv": config.num_key_value_heads,
            "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        }.items()
    }
    if llama:
        return {
            **found,
            "general.name": "Tiny Llama",
            "general.license": "apache-2.0",
            "general.languages": ["en"],
            "llama.rope.freq_base": config.rope_parameters["rope_theta"],
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": "smollm",
            "tokenizer.ggml.tokens": list(LLAMA_TOKENS),
            "tokenizer.ggml.token_type": [3] * 3 + [1] * (len(LLAMA_TOKENS) - 3),
            "tokenizer.ggml.merges": list(MERGES),
            "tokenizer.ggml.bos_token_id": 1,
            "tokenizer.ggml.eos_token_id": 2,
            "tokenizer.chat_template": TEMPLATE,
        }
    return {
        **found,
        "general.license": "gemma",
        "gemma3.attention.key_length": config.head_dim,
        "gemma3.attention.value_length": config.head_dim,
        "gemma3.attention.sliding_window": config.sliding_window,
        "gemma3.rope.freq_base": 1_000_000.0,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": list(GEMMA_TOKENS),
        "tokenizer.ggml.scores": [-1000.0] * 264 + [-float(i) for i in range(len(PIECES))],
        "tokenizer.ggml.token_type": GEMMA_TYPES,
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.unknown_token_id": 3,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False,
    }


def _gguf_name(name, llama):
    for ours, theirs in (
        ("model.embed_tokens", "token_embd"), ("lm_head", "output"), ("model.norm", "output_norm"),
        ("model.layers.", "blk."), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"), ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"), ("mlp.", "ffn_"), ("gate_proj", "gate"), ("up_proj", "up"),
        ("down_proj", "down"), ("input_layernorm", "attn_norm"), ("pre_feedforward_layernorm", "ffn_norm"),
        ("post_attention_layernorm", "ffn_norm" if llama else "post_attention_norm"),
        ("post_feedforward_layernorm", "post_ffw_norm"),
    ):  # fmt: skip
        name = name.replace(ours, theirs)
    return name
