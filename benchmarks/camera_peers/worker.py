"""One contender in its process: ``python -m benchmarks.camera_peers.worker NAME MODEL CLIP THREADS``.

It plays a clip at its frame rate and gives, for each frame, the seconds from the decoded picture to the result, and
the result's best class. This file imports what its contender needs alone: MediaPipe has an environment of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.turns import Answer, serve

SIDE, SHORTER = 224, 256
MEAN, STD = 127.0, 128.0

Classifier = Callable[[np.ndarray, int], int]
"""A BGR picture and its time in milliseconds → its best class."""


def plain_loop(clip: Path, classify: Classifier) -> Answer:
    """The loop that one writes first: wait until the next frame is due, read it, classify it; in one thread."""
    clock_ms = 0

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        nonlocal clock_ms
        capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        interval_s = 1 / capture.get(cv2.CAP_PROP_FPS)
        start_s, times_s, classes = time.perf_counter(), [], []
        for index in range(asked["frames"]):
            time.sleep(max(start_s + index * interval_s - time.perf_counter(), 0.0))
            ok, picture = capture.read()
            if not ok:
                break
            arrived_s = time.perf_counter()
            classes.append(classify(picture, clock_ms))
            times_s.append(time.perf_counter() - arrived_s)
            clock_ms += round(interval_s * 1e3)
        capture.release()
        return told(times_s, classes)

    return answer


def told(times_s: list[float], classes: list[int]) -> dict[str, Any]:
    """What a turn came to."""
    p50, p95 = (float(q) for q in np.percentile(times_s, [50, 95]))
    return {"p50_s": p50, "p95_s": p95, "classes": classes}


def edgekit(model: str, clip: Path, threads: int) -> Answer:
    """The real loop, of ``BUNDLE:VARIANT``: arrival to end of sink."""
    from edgekit.camera.opencv import open_video
    from edgekit.engines.protocol import EngineOptions
    from edgekit.events import FrameDone, Observer
    from edgekit.loop import Loop, LoopOptions
    from edgekit.sinks.tee import Tee
    from edgekit.tasks.registry import load

    bundle, _, variant = model.rpartition(":")
    task = load(bundle, variant, options=EngineOptions(threads=threads))

    class Classes(Observer):
        def __init__(self) -> None:
            self.found: list[int] = []

        def frame_done(self, event: FrameDone) -> None:
            self.found.append(event.outcome.result.top(1)[0].index)

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        seen = Classes()
        options = LoopOptions(frames=asked["frames"])
        summary = Loop(open_video(clip), task, Tee(), options, observers=[seen]).run(warm_up=True)
        ms, bare = summary.ledger.latency_ms()["total"], summary.ledger.bare_ms()
        assert ms is not None and bare is not None
        return {
            "p50_s": ms["p50"] / 1e3,
            "p95_s": ms["p95"] / 1e3,
            "classes": seen.found,
            "bare_p50_s": bare["p50"] / 1e3,
            "bare_p95_s": bare["p95"] / 1e3,
        }

    return answer


def opencv(model: str, clip: Path, threads: int) -> Answer:
    """OpenCV and onnxruntime as their manuals put them together, on the bundle's own file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]

    def classify(picture: np.ndarray, _: int) -> int:
        height, width = picture.shape[:2]
        scale = SHORTER / min(height, width)
        picture = cv2.resize(picture, (round(width * scale), round(height * scale)))
        top, left = (picture.shape[0] - SIDE) // 2, (picture.shape[1] - SIDE) // 2
        picture = cv2.cvtColor(picture[top : top + SIDE, left : left + SIDE], cv2.COLOR_BGR2RGB)
        if given.type != "tensor(uint8)":
            picture = ((picture.astype(np.float32) - MEAN) / STD).transpose(2, 0, 1)
        return int(np.argmax(session.run(None, {given.name: picture[None]})[0]))

    return plain_loop(clip, classify)


def mediapipe(model: str, clip: Path, _threads: int) -> Answer:
    """MediaPipe Tasks' image classifier, for video; it stretches the whole picture, and has no setting for threads."""
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageClassifierOptions(
        base_options=BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        max_results=1,
    )
    classifier = vision.ImageClassifier.create_from_options(options)

    def classify(picture: np.ndarray, now_ms: int) -> int:
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
        return int(classifier.classify_for_video(image, now_ms).classifications[0].categories[0].index)

    return plain_loop(clip, classify)


def transformers(model: str, clip: Path, threads: int) -> Answer:
    """A transformers pipeline in full precision: the same network and weights, a processor of the same numbers."""
    import torch
    from PIL import Image
    from transformers import (
        CLIPImageProcessorPil,
        ImageClassificationPipeline,
        PretrainedConfig,
        PreTrainedModel,
    )
    from transformers.modeling_outputs import ImageClassifierOutput

    from edgekit_export.sources.networks.efficientnet_lite import load as load_network

    torch.set_num_threads(threads)

    class Model(PreTrainedModel):
        config_class = PretrainedConfig
        main_input_name = "pixel_values"

        def __init__(self, config: PretrainedConfig) -> None:
            super().__init__(config)
            self.network = load_network(Path(model))
            self.post_init()

        def _init_weights(self, module: torch.nn.Module) -> None:
            """They are there."""

        def forward(self, pixel_values: torch.Tensor) -> ImageClassifierOutput:
            return ImageClassifierOutput(logits=self.network(pixel_values))

    processor = CLIPImageProcessorPil(
        size={"shortest_edge": SHORTER},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=[MEAN / 255] * 3,
        image_std=[STD / 255] * 3,
        resample=Image.Resampling.BILINEAR,
    )
    config = PretrainedConfig(num_labels=1000, id2label={n: str(n) for n in range(1000)})
    pipeline = ImageClassificationPipeline(model=Model(config).eval(), image_processor=processor)

    def classify(picture: np.ndarray, _: int) -> int:
        image = Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        return int(pipeline(image, top_k=1)[0]["label"])

    return plain_loop(clip, classify)


CONTENDERS = {
    "edgekit": edgekit,
    "edgekit-tflite": edgekit,
    "opencv": opencv,
    "mediapipe": mediapipe,
    "transformers": transformers,
}

if __name__ == "__main__":
    name, model_path, clip_path, thread_count = sys.argv[1:]
    serve(lambda: CONTENDERS[name](model_path, Path(clip_path), int(thread_count)))
