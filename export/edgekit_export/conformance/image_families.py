"""Models of pictures of the true architecture at a small size, with random weights, as folders of the hub have them.

Each writes what ``save_pretrained`` of its class and of its image processor write. Biases, scales and running
averages are drawn too: as training begins they are zeros and ones, which hides faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edgekit_export.sources.huggingface.network import quiet_transformers

LABELS = tuple(f"thing {i}" for i in range(10))
_SEED = 7


@dataclass(frozen=True, slots=True)
class ImageFamily:
    """A class of transformers at a small size.

    Attributes:
        task: of edgekit.
        model: stem of the classes ``…Config`` and ``…ForImageClassification`` or ``…ForObjectDetection``.
        config: what makes it small.
        processor: stem of ``…ImageProcessor``.
        settings: of the processor.
        gain: variance of the weights times inputs: what is too small for scores of places to differ, or so large that
            the last bits do.
    """

    task: Literal["classify", "detect"]
    model: str
    config: dict[str, Any]
    processor: str
    settings: dict[str, Any]
    gain: float = 1.0

    def write(self, folder: Path) -> None:
        """Writes the model into a folder."""
        import torch
        import transformers

        end = "ForImageClassification" if self.task == "classify" else "ForObjectDetection"
        labels = {"id2label": dict(enumerate(LABELS)), "label2id": {name: i for i, name in enumerate(LABELS)}}
        config = getattr(transformers, f"{self.model}Config")(**_built(self.config), **labels)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            network = getattr(transformers, self.model + end)(config).eval()
            _shake(network, self.gain)
        with quiet_transformers():
            network.save_pretrained(folder)
        processor: Any = getattr(transformers, f"{self.processor}ImageProcessorPil")
        processor(**self.settings).save_pretrained(folder)
        (folder / "README.md").write_text(
            "---\nlicense: apache-2.0\n---\nRandom weights.\n", encoding="utf-8"
        )


def _built(config: dict[str, Any]) -> dict[str, Any]:
    """A backbone is given as stem and settings."""
    import transformers

    made = dict(config)
    if "backbone_config" in made:
        stem, settings = made["backbone_config"]
        made["backbone_config"] = getattr(transformers, f"{stem}Config")(**settings)
    return made


def _shake(network: Any, gain: float) -> None:  # noqa: ANN401 (a torch module)
    """Draws weights wide enough for signals to reach the end, and what initialisation leaves at zero or one."""
    import torch

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
                torch.nn.init.normal_(module.weight, std=(gain / module.weight[0].numel()) ** 0.5)
        for parameter in network.parameters():
            if parameter.ndim <= 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.add_(torch.randn_like(buffer) * 0.1)
            elif name.endswith("running_var"):
                buffer.mul_(torch.rand_like(buffer) + 0.5)


_SQUARE = {"height": 64, "width": 64}
_VIT = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
    "image_size": 64, "patch_size": 16,
}  # fmt: skip
_RESNET = {
    "embedding_size": 16, "hidden_sizes": [16, 24, 32, 48], "depths": [1, 1, 1, 1], "layer_type": "basic",
    "out_features": ["stage4"],
}  # fmt: skip
_DETR = {
    "backbone_config": ("ResNet", _RESNET), "d_model": 32, "encoder_layers": 1, "decoder_layers": 1,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
    "num_queries": 12, "use_timm_backbone": False, "use_pretrained_backbone": False,
}  # fmt: skip
_SIX_MULTIPLES = {
    "d_model": 32, "encoder_hidden_dim": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "decoder_layers": 1,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "num_queries": 20, "num_denoising": 0,
    "decoder_in_channels": [32, 32, 32], "feat_strides": [8, 16, 32],
}  # fmt: skip

IMAGE_FAMILIES: dict[str, ImageFamily] = {
    "ViT": ImageFamily("classify", "ViT", _VIT, "ViT", {"size": _SQUARE}),
    "MobileNetV1": ImageFamily(
        "classify", "MobileNetV1", {"depth_multiplier": 0.25, "image_size": 64}, "MobileNetV1",
        {"size": {"shortest_edge": 72}, "crop_size": _SQUARE},
    ),
    "MobileNetV2": ImageFamily(
        "classify", "MobileNetV2", {"depth_multiplier": 0.25, "image_size": 64}, "MobileNetV2",
        {"size": {"shortest_edge": 72}, "crop_size": _SQUARE},
    ),
    "EfficientNet": ImageFamily(
        "classify", "EfficientNet", {"width_coefficient": 0.2, "depth_coefficient": 0.2, "image_size": 64,
        "hidden_dim": 256}, "EfficientNet", {"size": _SQUARE, "do_center_crop": False},
    ),
    "ResNet": ImageFamily("classify", "ResNet", _RESNET, "ConvNext", {"size": {"shortest_edge": 64}}),
    "ConvNeXt": ImageFamily(
        "classify", "ConvNext", {"hidden_sizes": [16, 24, 32, 48], "depths": [1, 1, 2, 1], "image_size": 64},
        "ConvNext", {"size": {"shortest_edge": 64}},
    ),
    "DETR": ImageFamily(
        "detect", "Detr", _DETR, "Detr", {"size": {"shortest_edge": 96, "longest_edge": 160}}, gain=4.0
    ),
    "Table Transformer": ImageFamily(
        "detect", "TableTransformer", _DETR, "Detr", {"size": {"shortest_edge": 128, "longest_edge": 128}}, gain=4.0
    ),
    "YOLOS": ImageFamily(
        "detect", "Yolos", {**_VIT, "image_size": [96, 128], "num_detection_tokens": 12,
        "use_mid_position_embeddings": True}, "Yolos", {"size": {"shortest_edge": 96, "longest_edge": 160}},
        gain=4.0,
    ),
    "RT-DETR": ImageFamily(
        "detect", "RTDetr", {**_SIX_MULTIPLES, "encoder_in_channels": [24, 32, 48], "backbone_config": (
            "RTDetrResNet", {**_RESNET, "out_features": ["stage2", "stage3", "stage4"]})},
        "RTDetr", {"size": {"height": 96, "width": 96}}, gain=2.0,
    ),
    "D-FINE": ImageFamily(
        "detect", "DFine",
        {**_SIX_MULTIPLES, "decoder_layers": 2, "encoder_in_channels": [24, 32, 48], "backbone_config": (
            "RTDetrResNet", {**_RESNET, "out_features": ["stage2", "stage3", "stage4"]})},
        "RTDetr", {"size": {"height": 96, "width": 96}}, gain=2.0,
    ),
}  # fmt: skip
"""Name → model."""
