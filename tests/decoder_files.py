"""A tiny language model of random weights: its two graphs, its tokenizer, its chat template, its bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from msgspec.structs import replace
from onnx import TensorProto, helper, numpy_helper

from edgekit.bundle.manifest import (
    Card,
    Carried,
    DecoderInput,
    Expected,
    Golden,
    Lock,
    LogitsHead,
    Manifest,
    MemoryHead,
    Model,
    TokenInput,
    Variant,
)
from edgekit.bundle.writer import write_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.tasks.golden import decision, digest, margin, probe, run_golden
from edgekit.tasks.registry import load
from edgekit.tasks.trace import Trace

VOCABULARY = 300
HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, INTERMEDIATE = 32, 2, 4, 2, 16, 48
CONTEXT = 128
WEIGHTS = "weights.bin"


@dataclass
class Store:
    """One external file that several graphs name: equal tensors of one name lie in it once."""

    data: bytearray
    places: dict[str, tuple[int, int]]

    def tensor(self, name: str, array: np.ndarray) -> TensorProto:
        raw = np.ascontiguousarray(array).tobytes()
        if name not in self.places:
            self.data += b"\0" * (-len(self.data) % 64)
            self.places[name] = len(self.data), len(raw)
            self.data += raw
        offset, length = self.places[name]
        made = TensorProto(
            name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype)
        )
        made.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", offset), ("length", length)):
            made.external_data.add(key=key, value=str(value))
        return made


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    """All matrices, drawn so that the best next tokens differ clearly and depend on what came before."""
    rng = np.random.Generator(np.random.PCG64(seed))

    def matrix(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)

    made = {"embed": rng.standard_normal((VOCABULARY, HIDDEN)).astype(np.float32)}
    for i in range(LAYERS):
        made[f"{i}.q"] = matrix(HIDDEN, HEADS * HEAD_DIM) * np.float32(2)
        made[f"{i}.k"] = matrix(HIDDEN, KV_HEADS * HEAD_DIM) * np.float32(2)
        made[f"{i}.v"] = matrix(HIDDEN, KV_HEADS * HEAD_DIM) * np.float32(2)
        made[f"{i}.o"] = matrix(HEADS * HEAD_DIM, HIDDEN) * np.float32(2)
        made[f"{i}.up"] = matrix(HIDDEN, INTERMEDIATE)
        made[f"{i}.down"] = matrix(INTERMEDIATE, HIDDEN) * np.float32(2)
    made["head"] = matrix(HIDDEN, VOCABULARY) * np.float32(3)
    angle = np.arange(CONTEXT)[:, None] / 10000 ** (np.arange(HEAD_DIM // 2) * 2 / HEAD_DIM)
    made["cos"], made["sin"] = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    return made


def _value(name: str, dtype: int, shape: list) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def embed_graph(store: Store, table: np.ndarray) -> bytes:
    """``input_ids`` -> ``inputs_embeds``."""
    node = helper.make_node("Gather", ["embed", "input_ids"], ["inputs_embeds"])
    return _model(
        [node],
        [_value("input_ids", TensorProto.INT64, [1, "tokens"])],
        [_value("inputs_embeds", TensorProto.FLOAT, [1, "tokens", HIDDEN])],
        [store.tensor("embed", table)],
    )


def decode_graph(
    store: Store, made: dict[str, np.ndarray], windows: tuple[int, ...] = (-1, -1), *, both_ways: bool = False
) -> bytes:
    """The decoder; ``windows`` is GroupQueryAttention's ``local_window_size``, one a layer.

    Where there are calls ``both_ways``, it moves their embeddings: what it gives tells which calls were such.
    """
    nodes, initializers = [], [store.tensor(n, made[n]) for n in ("cos", "sin", "head")]
    inputs = [
        _value("inputs_embeds", TensorProto.FLOAT, [1, "tokens", HIDDEN]),
        _value("rows", TensorProto.INT64, ["n"]),
        _value("seqlens_k", TensorProto.INT32, [1]),
        _value("total_sequence_length", TensorProto.INT32, []),
    ]
    outputs = [_value("logits", TensorProto.FLOAT, ["n", VOCABULARY])]
    initializers += [numpy_helper.from_array(np.ones(HIDDEN, np.float32), "ones")]
    initializers += [numpy_helper.from_array(np.array([-1, HIDDEN], np.int64), "flat")]

    def add(op: str, given: list[str], name: str, domain: str = "", **attributes: object) -> str:
        nodes.append(helper.make_node(op, given, [name], domain=domain, **attributes))
        return name

    def norm(x: str, name: str) -> str:
        return add("SimplifiedLayerNormalization", [x, "ones"], name, axis=-1, epsilon=1e-5, stash_type=1)

    x, cache = "inputs_embeds", [1, KV_HEADS, "capacity", HEAD_DIM]
    if both_ways:
        inputs.append(_value("both_ways", TensorProto.INT32, [1]))
        moved = add("Mul", [x, add("Cast", ["both_ways"], "ahead", to=TensorProto.FLOAT)], "moved")
        x = add("Sub", [x, add("Tanh", [moved], "moved.far")], "there")
    for i in range(LAYERS):
        for part in ("q", "k", "v", "o", "up", "down"):
            initializers.append(store.tensor(f"{i}.{part}", made[f"{i}.{part}"]))
        normed = norm(x, f"{i}.normed")
        q, k, v = (add("MatMul", [normed, f"{i}.{part}"], f"{i}.{part}.out") for part in "qkv")
        for kind in ("key", "value"):
            inputs.append(_value(f"past.{i}.{kind}", TensorProto.FLOAT, cache))
            outputs.append(_value(f"present.{i}.{kind}", TensorProto.FLOAT, cache))
        given = [
            q,
            k,
            v,
            f"past.{i}.key",
            f"past.{i}.value",
            "seqlens_k",
            "total_sequence_length",
            "cos",
            "sin",
        ]
        nodes.append(
            helper.make_node(
                "GroupQueryAttention",
                given,
                [f"{i}.attended", f"present.{i}.key", f"present.{i}.value"],
                domain="com.microsoft",
                num_heads=HEADS,
                kv_num_heads=KV_HEADS,
                do_rotary=1,
                local_window_size=windows[i],
            )
        )
        x = add("Add", [x, add("MatMul", [f"{i}.attended", f"{i}.o"], f"{i}.o.out")], f"{i}.mid")
        up = add("MatMul", [norm(x, f"{i}.normed2"), f"{i}.up"], f"{i}.up.out")
        x = add(
            "Add", [x, add("MatMul", [add("Tanh", [up], f"{i}.act"), f"{i}.down"], f"{i}.down.out")], f"{i}.x"
        )
    wanted = add("Gather", [norm(x, "last"), "rows"], "wanted", axis=1)
    add("MatMul", [add("Reshape", [wanted, "flat"], "wanted.flat"), "head"], "logits")
    return _model(nodes, inputs, outputs, initializers)


def _model(nodes: list, inputs: list, outputs: list, initializers: list) -> bytes:
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


CHAT = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
END = 257
"""``<|end|>``; 256 is ``<|start|>``, 258 ``<|first|>``, 0 to 255 single bytes, the rest words of two bytes."""


SPECIAL = ("<|start|>", "<|end|>", "<|first|>")


def tokenizer(more: tuple[str, ...] = ()) -> bytes:
    """Byte-level, as SmolLM2's: all bytes, special tokens, some pairs of letters, and ``more`` special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    pairs = ["th", "he", "in", "er", "an", "Ġa", "Ġt", "on", '":', '",', 'Ġ"', '{"', "es", "Ġb"]
    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *SPECIAL, *pairs]
    merges = [(pair[0], pair[1]) for pair in pairs]
    made = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([*SPECIAL, *more])
    data = made.to_str()
    return data.encode()


HEAD = LogitsHead(
    tensor="logits",
    tokenizer="assets/tokenizer.json",
    vocabulary=VOCABULARY,
    ends=(END,),
    chat_template="assets/chat.jinja",
    first=258,
    token_texts={"bos_token": "<|first|>"},
)
INPUT = DecoderInput(
    tensor="inputs_embeds",
    takes="embeddings",
    past=tuple(
        Carried(input=f"past.{i}.{kind}", output=f"present.{i}.{kind}")
        for i in range(LAYERS)
        for kind in ("key", "value")
    ),
    kv_heads=KV_HEADS,
    head_dim=HEAD_DIM,
    context=CONTEXT,
    chunk=16,
)


def language_members(
    seed: int = 0,
    windows: tuple[int, ...] = (-1, -1),
    change: Callable[[dict[str, np.ndarray]], object] = lambda made: None,
    *,
    both_ways: bool = False,
) -> dict[str, bytes]:
    """Member path → bytes of the variant ``fp32`` and of the words; ``change`` may change the weights in place."""
    store, made = Store(bytearray(), {}), weights(seed)
    change(made)
    return {
        "fp32/embed.onnx": embed_graph(store, made["embed"]),
        "fp32/decode.onnx": decode_graph(store, made, windows, both_ways=both_ways),
        "fp32/weights.bin": bytes(store.data),
        "assets/tokenizer.json": tokenizer(),
        "assets/chat.jinja": CHAT.encode(),
    }


def language_variant(
    members: Mapping[str, bytes], head: LogitsHead = HEAD, given: DecoderInput = INPUT
) -> Variant:
    """The only variant."""
    shared = ("fp32/weights.bin",)
    models = {
        "embed": Model(
            "fp32/embed.onnx", "onnx", TokenInput("input_ids"), MemoryHead(("inputs_embeds",)), shared
        ),
        "decode": Model("fp32/decode.onnx", "onnx", given, head, shared),
    }
    total = sum(len(data) for path, data in members.items() if path.startswith("fp32/"))
    return Variant("fp32", "full_precision", "fp32", models, total)


def language_folder(folder: Path, **changes: Any) -> Variant:
    """Writes the members; ``changes`` are those of :func:`language_members`."""
    members = language_members(**changes)
    for path, data in members.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return language_variant(members)


def language_manifest(members: Mapping[str, bytes], **changes: Any) -> Manifest:
    """Of a bundle; ``changes`` replace its parts."""
    base = Manifest(
        format="edgekit-bundle",
        version=1,
        name="tiny",
        task="generate",
        files=(),
        variants=(language_variant(members),),
        card=Card("Tiny", "generate", "noise", ("en",), "any", ("say anything",), "Apache-2.0", "test", 1),
        lock=Lock("test", {}, "test", None, 0, None, 0, {}),
    )
    return replace(base, **changes)


def language_bundle(path: Path, **changes: Any) -> Path:
    """A whole bundle; ``changes`` replace parts of its manifest."""
    members = language_members()
    write_bundle(path, language_manifest(members, **changes), members)
    return path


def golden_bundle(path: Path) -> Path:
    """A bundle that carries one golden text, with its decision and the scores of its first call."""
    plain = load(language_bundle(path), options=EngineOptions(threads=1))
    trace = Trace()
    result = run_golden(plain, "the hen", trace)
    told = [(call.role, *one) for call in trace.calls for one in call.told]
    probes = {f"golden/0.{i}.bin": probe(output).tobytes() for i, (_, _, output) in enumerate(told)}
    expected = tuple(
        Expected(role, name, "float32", output.shape, digest(output), member, 1e-3)
        for (role, name, output), member in zip(told, probes, strict=True)
    )
    golden = Golden("fp32", "golden/0.txt", expected, decision(result), margin(result, trace.calls))
    members = language_members() | {"golden/0.txt": b"the hen"} | probes
    write_bundle(path, language_manifest(language_members(), golden=(golden,)), members)
    return path
