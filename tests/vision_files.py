"""A tiny vision-language model of random weights: the language model of ``decoder_files`` and a graph for pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from edgekit.bundle.manifest import (
    DecoderInput,
    Expected,
    FeaturesHead,
    Golden,
    LogitsHead,
    Manifest,
    Model,
    TilesInput,
    Variant,
)
from edgekit.bundle.writer import write_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.tasks.golden import decision, digest, margin, probe, run_golden
from edgekit.tasks.registry import load
from edgekit.tasks.trace import Trace
from edgekit.types import Frame, Question
from tests.decoder_files import (
    HEAD,
    HIDDEN,
    INPUT,
    language_manifest,
    language_members,
    language_variant,
    tokenizer,
)

SIZE, TOKENS = 8, 4
_ROWS = tuple(f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2))
MARKS = ("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *_ROWS)
GEMMA_MARKS = ("<image_soft_token>", "<start_of_image>", "<end_of_image>", "<end_of_utterance>")
PLACEHOLDER = 273
"""``<image>``, the first token behind those of ``decoder_files``."""

CHAT = (
    "<|start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}:{% else %}: {% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{ line['text'] }}"
    "{% elif line['type'] == 'image' %}<image>{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""As SmolVLM has it: contents are lists of parts."""
GEMMA_CHAT = CHAT.replace("<image>", "<start_of_image>")

TILES = TilesInput(
    tensor="pixel_values",
    size=SIZE,
    longest=16,
    split=False,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    algorithm="pillow_lanczos",
)
FEATURES = FeaturesHead(tensor="image_features", tokens=TOKENS, placeholder=PLACEHOLDER, layout="idefics3")
GEMMA_TILES = replace(TILES, longest=None, algorithm="pillow_bilinear")
GEMMA_FEATURES = replace(FEATURES, layout="gemma3")
BOTH_WAYS = replace(INPUT, both_ways="both_ways")
"""Of a model whose pictures look both ways."""

VISION_HEAD = replace(HEAD, ends=())
"""Of the decoder: random weights end where they like, so nothing ends an answer."""


def vision_graph(seed: int = 0, tokens: int = TOKENS, hidden: int = HIDDEN) -> bytes:
    """``pixel_values`` -> ``image_features``: parts of the tile times a random matrix."""
    rng = np.random.Generator(np.random.PCG64(seed))
    width = 3 * SIZE * SIZE // tokens
    matrix = (rng.standard_normal((width, hidden)) * 3 / np.sqrt(width)).astype(np.float32)
    nodes = [
        helper.make_node("Reshape", ["pixel_values", "shape"], ["parts"]),
        helper.make_node("MatMul", ["parts", "matrix"], ["image_features"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("image_features", TensorProto.FLOAT, [1, tokens, hidden])],
        [
            numpy_helper.from_array(matrix, "matrix"),
            numpy_helper.from_array(np.array([1, tokens, width], np.int64), "shape"),
        ],
    )
    opsets = [helper.make_opsetid("", 20)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())


def vision_members(seed: int = 0, *, gemma: bool = False) -> dict[str, bytes]:
    """Member path → bytes of the variant ``fp32`` and of the words; ``gemma``: with pictures that look both ways."""
    return language_members(seed, both_ways=gemma) | {
        "fp32/vision.onnx": vision_graph(seed),
        "assets/tokenizer.json": tokenizer(GEMMA_MARKS if gemma else MARKS),
        "assets/chat.jinja": (GEMMA_CHAT if gemma else CHAT).encode(),
    }


def vision_variant(
    members: dict[str, bytes],
    tiles: TilesInput = TILES,
    features: FeaturesHead = FEATURES,
    head: LogitsHead = VISION_HEAD,
    decoder: DecoderInput = INPUT,
) -> Variant:
    """The only variant."""
    language = language_variant(members, head, decoder)
    vision = Model("fp32/vision.onnx", "onnx", tiles, features)
    return replace(language, models={"vision": vision, **language.models})


def vision_folder(folder: Path, seed: int = 0) -> Variant:
    """Writes the members."""
    members = vision_members(seed)
    for path, data in members.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return vision_variant(members)


def vision_manifest(members: dict[str, bytes], **changes: object) -> Manifest:
    """Of a bundle; ``changes`` replace its parts."""
    base = language_manifest(language_members())
    return replace(
        base,
        name="tiny-vlm",
        task="vision_language",
        variants=(vision_variant(members),),
        card=replace(base.card, task="vision_language"),
        **changes,
    )


def vision_bundle(path: Path, seed: int = 0, **changes: object) -> Path:
    """A whole bundle; ``changes`` replace parts of its manifest."""
    members = vision_members(seed)
    write_bundle(path, vision_manifest(members, **changes), members)
    return path


def picture(seed: int, width: int = 12, height: int = 9) -> Frame:
    """Of random colours."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return Frame(rng.integers(0, 256, (height, width, 3), np.uint8), name=f"{seed}.png")


QUESTION = "what is the hen?"


def golden_vision_bundle(path: Path) -> Path:
    """A bundle that carries one golden picture with a question, and what every call gave."""
    plain = load(vision_bundle(path), options=EngineOptions(threads=1))
    pixels = picture(7).pixels
    trace = Trace()
    result = run_golden(plain, Question(Frame(pixels), QUESTION), trace)
    told = [(call.role, *one) for call in trace.calls for one in call.told]
    probes = {f"golden/0.{i}.bin": probe(output).tobytes() for i, (_, _, output) in enumerate(told)}
    expected = tuple(
        Expected(role, name, "float32", output.shape, digest(output), member, 1e-3)
        for (role, name, output), member in zip(told, probes, strict=True)
    )
    golden = Golden(
        "fp32", "golden/0.png", expected, decision(result), margin(result, trace.calls), question=QUESTION
    )
    png = cv2.imencode(".png", pixels[:, :, ::-1])[1].tobytes()
    members = vision_members() | {"golden/0.png": png} | probes
    write_bundle(path, vision_manifest(vision_members(), golden=(golden,)), members)
    return path
