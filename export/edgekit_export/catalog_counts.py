"""How many parameters the catalogue's models have: counted on torch's meta device, where no weight takes memory.

``python -m edgekit_export.catalog_counts`` prints them; a test compares them with the cards. Settings are those
that the models' ``config.json`` publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]

_LARGE: Settings = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}
_ROBERTA: Settings = {"type_vocab_size": 1, "num_labels": 3}
_XLSR: Settings = {**_LARGE, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
_TOWER: Settings = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
    "image_size": 512, "patch_size": 16,
}  # fmt: skip
_RESNET_18: Settings = {
    "model_type": "resnet", "embedding_size": 64, "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2],
    "layer_type": "basic", "out_features": ["stage4"],
}  # fmt: skip
_DETR: Settings = {
    "use_timm_backbone": False, "use_pretrained_backbone": False, "backbone_config": _RESNET_18,
}  # fmt: skip
_GEMMA: Settings = {
    "vocab_size": 262_144,
    "head_dim": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
}


def _whisper(layers: int, hidden: int, heads: int, vocabulary: int, mels: int) -> Settings:
    sides = {
        f"{side}_{what}": value
        for side in ("encoder", "decoder")
        for what, value in (("layers", layers), ("attention_heads", heads), ("ffn_dim", 4 * hidden))
    }
    return {"d_model": hidden, "vocab_size": vocabulary, "num_mel_bins": mels, **sides}


def _smolvlm(hidden: int, intermediate: int, layers: int, heads: int) -> Settings:
    text = {
        "model_type": "llama", "vocab_size": 49_280, "hidden_size": hidden, "intermediate_size": intermediate,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": heads // 3,
        "tie_word_embeddings": False,
    }  # fmt: skip
    return {"text_config": text, "vision_config": _TOWER, "scale_factor": 4, "tie_word_embeddings": False}


ARCHITECTURES: Mapping[str, tuple[str, Settings]] = {
    "nsfw-vit": ("ViTForImageClassification", {"num_labels": 2}),
    "age-vit": ("ViTForImageClassification", {"num_labels": 9}),
    "expression-vit": ("ViTForImageClassification", {"num_labels": 7}),
    "vit-large-384": ("ViTForImageClassification", {**_LARGE, "image_size": 384, "num_labels": 1000}),
    "mobilenetv2": ("MobileNetV2ForImageClassification", {"num_labels": 1001}),
    "table-transformer-detection": (
        "TableTransformerForObjectDetection",
        {**_DETR, "num_queries": 15, "num_labels": 2},
    ),
    "table-transformer-structure": (
        "TableTransformerForObjectDetection",
        {**_DETR, "num_queries": 125, "num_labels": 6},
    ),
    "finbert": ("BertForSequenceClassification", {"num_labels": 3}),
    "bert-large": ("BertForMaskedLM", _LARGE),
    "twitter-roberta": (
        "RobertaForSequenceClassification",
        {**_ROBERTA, "vocab_size": 50_265, "max_position_embeddings": 514},
    ),
    "robertuito": (
        "RobertaForSequenceClassification",
        {**_ROBERTA, "vocab_size": 30_002, "max_position_embeddings": 130},
    ),
    "deberta-xlarge-mnli": (
        "DebertaForSequenceClassification",
        {
            **_LARGE, "num_hidden_layers": 48, "vocab_size": 50_265, "type_vocab_size": 0, "num_labels": 3,
            "relative_attention": True, "pos_att_type": "c2p|p2c", "position_biased_input": False,
            "max_relative_positions": -1, "pooler_hidden_size": 1024,
        },
    ),
    "gpt2-large": ("GPT2LMHeadModel", {"n_embd": 1280, "n_layer": 36, "n_head": 20}),
    "tinyllama-1.1b": (
        "LlamaForCausalLM",
        {
            "vocab_size": 32_000, "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22,
            "num_attention_heads": 32, "num_key_value_heads": 4,
        },
    ),
    "smollm2-135m": (
        "LlamaForCausalLM",
        {
            "vocab_size": 49_152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
            "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": True,
        },
    ),
    "gemma3-270m": (
        "Gemma3ForCausalLM",
        {**_GEMMA, "hidden_size": 640, "intermediate_size": 2048, "num_hidden_layers": 18},
    ),
    "gemma3-1b": (
        "Gemma3ForCausalLM",
        {**_GEMMA, "hidden_size": 1152, "intermediate_size": 6912, "num_hidden_layers": 26},
    ),
    "gemma3-4b": (
        "Gemma3ForConditionalGeneration",
        {
            "text_config": {
                "vocab_size": 262_208, "hidden_size": 2560, "intermediate_size": 10_240, "head_dim": 256,
                "num_hidden_layers": 34, "num_attention_heads": 8, "num_key_value_heads": 4,
            },
            "vision_config": {
                "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16,
                "image_size": 896, "patch_size": 14, "vision_use_head": False,
            },
        },
    ),
    "smolvlm-256m": ("Idefics3ForConditionalGeneration", _smolvlm(576, 1536, 30, 9)),
    "smolvlm-500m": ("Idefics3ForConditionalGeneration", _smolvlm(960, 2560, 32, 15)),
    "whisper-small.en": ("WhisperForConditionalGeneration", _whisper(12, 768, 12, 51_864, 80)),
    "whisper-large-v3": ("WhisperForConditionalGeneration", _whisper(32, 1280, 20, 51_866, 128)),
    "wav2vec2-xlsr-russian": ("Wav2Vec2ForCTC", {**_XLSR, "vocab_size": 40}),
    "wav2vec2-xlsr-portuguese": ("Wav2Vec2ForCTC", {**_XLSR, "vocab_size": 45}),
}  # fmt: skip
"""Name in the catalogue → class of transformers, and its settings where they differ from the usual ones."""


def parameters_of(name: str) -> int:
    """Parameters of a model of :data:`ARCHITECTURES`, each shared tensor once."""
    import torch
    import transformers

    kind, settings = ARCHITECTURES[name]
    network = getattr(transformers, kind)
    with torch.device("meta"):
        made = network(network.config_class(**settings))
    made.tie_weights()
    return sum({id(one): one.numel() for one in made.parameters()}.values())


def _conv(given: int, made: int, side: int) -> int:
    """A convolution without bias and its normalisation."""
    return given * made * side * side + 2 * made


def _c2f(given: int, made: int, depth: int) -> int:
    half = made // 2
    return _conv(given, made, 1) + _conv((2 + depth) * half, made, 1) + depth * 2 * _conv(half, half, 3)


def yolov8_parameters(width: float, depth: float, classes: int) -> int:
    """YOLOv8's by its published table of layers (github.com/ultralytics/ultralytics, cfg/models/v8/yolov8.yaml)."""
    c1, c2, c3, c4, c5 = (int(-(-channels * width // 8) * 8) for channels in (64, 128, 256, 512, 1024))
    three, six = max(round(3 * depth), 1), max(round(6 * depth), 1)
    backbone = _conv(3, c1, 3) + _conv(c1, c2, 3) + _c2f(c2, c2, three) + _conv(c2, c3, 3) + _c2f(c3, c3, six)
    backbone += _conv(c3, c4, 3) + _c2f(c4, c4, six) + _conv(c4, c5, 3) + _c2f(c5, c5, three)
    backbone += _conv(c5, c5 // 2, 1) + _conv(2 * c5, c5, 1)
    neck = _c2f(c5 + c4, c4, three) + _c2f(c4 + c3, c3, three) + _conv(c3, c3, 3) + _c2f(c3 + c4, c4, three)
    neck += _conv(c4, c4, 3) + _c2f(c4 + c5, c5, three)
    boxes, scores = max(c3 // 4, 64), max(c3, min(classes, 100))
    head = 16  # expectation over the bins of a side
    for level in (c3, c4, c5):
        head += _conv(level, boxes, 3) + _conv(boxes, boxes, 3) + 64 * boxes + 64
        head += _conv(level, scores, 3) + _conv(scores, scores, 3) + classes * scores + classes
    return backbone + neck + head


def pyannote_segmentation_parameters() -> int:
    """Of pyannote/segmentation-3.0: SincNet, four bidirectional LSTM layers of 128, two linear ones, seven classes."""
    sinc = 2 * 40 + 2 + 2 * (80 + 60 + 60) + (80 * 60 * 5 + 60) + (60 * 60 * 5 + 60)
    lstm = sum(2 * (4 * 128 * (given + 128) + 8 * 128) for given in (60, 256, 256, 256))
    return sinc + lstm + (256 * 128 + 128) + (128 * 128 + 128) + (128 * 7 + 7)


def voice_embedding_parameters() -> int:
    """Of wespeaker's ResNet-34 of 32 channels: 80 mel bands in, 256 values out."""
    total, given = _conv(1, 32, 3), 32
    for made, blocks in ((32, 3), (64, 4), (128, 6), (256, 3)):
        for _ in range(blocks):
            total += _conv(given, made, 3) + _conv(made, made, 3)
            total += _conv(given, made, 1) if given != made else 0
            given = made
    return total + (2 * 80 // 8 * 256) * 256 + 256


if __name__ == "__main__":
    for model in ARCHITECTURES:
        print(f"{model:30} {parameters_of(model):>14,}")  # noqa: T201 (its purpose)
