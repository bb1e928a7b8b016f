"""Published times on boards, with the multiply-accumulates and parameters of the networks.

Multiply-accumulates are those of the papers, at the size of picture in the name. ncnn: its benchmark/README.md
(github.com/Tencent/ncnn), 4 threads, no GPU, the average.

Beside each time stands the ratio of the estimate to it.
"""

from dataclasses import dataclass

# name → millions of multiply-accumulates, millions of parameters
NETWORKS = {
    "MobileNetV1-224": (569, 4.24),
    "MobileNetV2-224": (300, 3.50),
    "MobileNetV3-Large-224": (219, 5.48),
    "MobileNetV3-Small-224": (56.5, 2.54),
    "EfficientNet-B0-224": (390, 5.29),
    "GoogLeNet-224": (1500, 6.6),
    "ResNet-18-224": (1820, 11.7),
    "ResNet-50-224": (4090, 25.6),
    "SSD-MobileNetV1-300": (1200, 6.8),
    "MobileNet-SSD-300": (1150, 5.8),
    "YOLO11n-640": (3250, 2.6),
    "YOLO26n-640": (2700, 2.4),
    "MLPerf Tiny person detection": (7.49, 0.22),
    "MLPerf Tiny image classification": (12.5, 0.079),
    "MLPerf Tiny keyword spotting": (2.66, 0.024),
    "MLPerf Tiny anomaly detection": (0.264, 0.27),
}


@dataclass(frozen=True)
class Published:
    device: str
    network: str
    precision: str
    ms: float
    stated_ratio: float
    source: str
    clock: float = 1.0  # of the board it was measured on, as a multiple of the device's

    @property
    def ms_here(self):
        return self.ms * self.clock

    @property
    def operations(self):
        return NETWORKS[self.network][0] * 1e6

    @property
    def parameters(self):
        return round(NETWORKS[self.network][1] * 1e6)


def _of(device, source, precision, clock=1.0, **times):
    return [
        Published(device, network, precision, ms, ratio, source, clock)
        for network, (ms, ratio) in times.items()
    ]


PUBLISHED = [
    *_of("pi5", "ExecuTorch", "int8", **{"MobileNetV2-224": (3.98, 0.62), "ResNet-50-224": (20.6, 1.63)}),
    *_of("pi5", "ExecuTorch", "fp32", **{"MobileNetV2-224": (10.9, 0.92)}),
    *_of(
        "pi5",
        "ncnn",
        "fp32",
        **{
            "MobileNetV2-224": (10.5, 0.95),
            "MobileNetV3-Large-224": (7.35, 0.99),
            "EfficientNet-B0-224": (12.3, 1.06),
        },
    ),
    *_of("pi5", "OpenVINO", "fp32", **{"YOLO11n-640": (81, 1.34)}),
    *_of("pi5", "ncnn, by ultralytics", "fp32", **{"YOLO11n-640": (88, 1.23), "YOLO26n-640": (67, 1.34)}),
    *_of(
        "pi5",
        "onnxruntime, by ultralytics",
        "fp32",
        **{"YOLO11n-640": (168, 0.64), "YOLO26n-640": (127, 0.71)},
    ),
    *_of(
        "pi4",
        "XNNPACK",
        "fp32",
        **{
            "MobileNetV2-224": (44, 1.08),
            "MobileNetV3-Large-224": (41, 0.85),
            "MobileNetV3-Small-224": (14, 0.64),
        },
    ),
    *_of(
        "pi4",
        "ncnn",
        "fp32",
        **{
            "MobileNetV1-224": (72.08, 1.25),
            "MobileNetV2-224": (72.62, 0.66),
            "MobileNetV3-Large-224": (56.34, 0.62),
            "EfficientNet-B0-224": (94.39, 0.66),
            "GoogLeNet-224": (143.09, 1.66),
            "ResNet-18-224": (176.18, 1.64),
            "ResNet-50-224": (335.34, 1.94),
        },
    ),
    *_of("pi4", "TFLite", "int8", **{"SSD-MobileNetV1-300": (83, 0.96)}),
    *_of(
        "pi4",
        "ncnn",
        "int8",
        **{
            "MobileNetV1-224": (40.30, 0.94),
            "GoogLeNet-224": (118.78, 0.84),
            "ResNet-18-224": (97.99, 1.24),
            "ResNet-50-224": (236.38, 1.15),
            "MobileNet-SSD-300": (85.31, 0.9),
        },
    ),
    *_of(
        "pi-zero-2",
        "ncnn, Pi 3 B+",
        "fp32",
        1.4,
        **{
            "MobileNetV1-224": (113.22, 1.2),
            "MobileNetV2-224": (120.10, 0.59),
            "MobileNetV3-Large-224": (91.43, 0.57),
            "EfficientNet-B0-224": (152.51, 0.61),
            "GoogLeNet-224": (244.42, 1.46),
            "ResNet-18-224": (281.43, 1.54),
            "ResNet-50-224": (562.70, 1.73),
        },
    ),
    *_of(
        "pi-zero-2",
        "ncnn, Pi 3 B+",
        "int8",
        1.4,
        **{
            "MobileNetV1-224": (67.27, 0.93),
            "GoogLeNet-224": (190.93, 0.86),
            "ResNet-18-224": (165.72, 1.21),
            "ResNet-50-224": (392.29, 1.15),
            "MobileNet-SSD-300": (138.44, 0.91),
        },
    ),
    *_of(
        "microcontroller",
        "MLPerf Tiny 1.1, Krai",
        "int8",
        **{
            "MLPerf Tiny person detection": (1000 / 19.867, 0.89),
            "MLPerf Tiny image classification": (1000 / 18.215, 1.36),
            "MLPerf Tiny keyword spotting": (1000 / 60.988, 0.97),
            "MLPerf Tiny anomaly detection": (1000 / 547.234, 0.86),
        },
    ),
]
"""Left out: YOLO26n at 36.6 ms by Arm's runtime. In float32 it were 96 % of the peak; no other precision is told."""
