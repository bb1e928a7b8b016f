"""One engine in a process of its own: a picture and two questions in, seconds out; see :mod:`benchmarks.turns`."""

import sys
import time
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.turns import Answer, serve


def fresh(path: str, turn: int) -> Image.Image:
    """The picture, a little different each time."""
    pixels = np.array(Image.open(path).convert("RGB"))
    pixels[: pixels.shape[0] // 8, :, 0] = turn * 37 % 256
    return Image.fromarray(pixels)


def edgekit_answers(path: str, threads: int, variant: str) -> Answer:
    """Our bundle."""
    from edgekit.engines.protocol import EngineOptions
    from edgekit.tasks.registry import load
    from edgekit.tasks.settings import Settings

    task = load(path, variant or None, options=EngineOptions(threads=threads))
    turn = 0

    def answer(asked: dict[str, Any]) -> dict[str, float]:
        nonlocal turn
        turn += 1
        settings = Settings(max_tokens=asked["tokens"])
        picture = fresh(asked["picture"], turn)
        first, follow = (
            task.stream(question, picture, settings=settings).generation.pace
            for question in asked["questions"]
        )
        return {
            "encode_s": first.encode_ms / 1e3 / first.encoded_tiles,
            "first_s": first.first_token_ms / 1e3,
            "follow_s": follow.first_token_ms / 1e3,
            "decode_s": first.decode_ms / 1e3 / first.decode_calls,
        }

    return answer


def transformers_answers(path: str, threads: int, variant: str) -> Answer:
    """Transformers in float32; one tile a picture."""
    import torch
    from transformers import AutoModelForImageTextToText, Idefics3Processor, PreTrainedTokenizerFast
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    assert not variant
    torch.set_num_threads(threads)
    model = AutoModelForImageTextToText.from_pretrained(path, dtype=torch.float32).eval()
    processor = Idefics3Processor(
        Idefics3ImageProcessorPil.from_pretrained(path),
        PreTrainedTokenizerFast.from_pretrained(path),
        image_seq_len=(model.config.vision_config.image_size // model.config.vision_config.patch_size) ** 2
        // model.config.scale_factor**2,
    )
    turn = 0

    def first_token(picture: Image.Image, question: str) -> Any:
        text = f"<|im_start|>User:<image>{question}<end_of_utterance>\nAssistant:"
        given = processor(images=[picture], text=text, do_image_splitting=False, return_tensors="pt")
        return given, model(**given, use_cache=True, logits_to_keep=1)

    @torch.inference_mode()
    def answer(asked: dict[str, Any]) -> dict[str, float]:
        nonlocal turn
        turn += 1
        picture, marks = fresh(asked["picture"], turn), [time.perf_counter()]
        given, found = first_token(picture, asked["questions"][0])
        marks.append(time.perf_counter())
        for _ in range(asked["tokens"] - 1):
            token = found.logits[:, -1].argmax(-1, keepdim=True)
            found = model(input_ids=token, past_key_values=found.past_key_values, use_cache=True)
        marks.append(time.perf_counter())
        model.get_image_features(given["pixel_values"])
        marks.append(time.perf_counter())
        first_token(picture, asked["questions"][1])
        marks.append(time.perf_counter())
        first, decode, encode, follow = np.diff(marks).tolist()
        per_token = decode / (asked["tokens"] - 1)
        return {"encode_s": encode, "first_s": first, "follow_s": follow, "decode_s": per_token}

    return answer


ENGINES = {"edgekit": edgekit_answers, "transformers": transformers_answers}


def main() -> None:
    """Answers one line by one line."""
    engine, path, threads, variant = sys.argv[1:]
    serve(lambda: ENGINES[engine](path, int(threads), "" if engine == "transformers" else variant))


if __name__ == "__main__":
    main()
