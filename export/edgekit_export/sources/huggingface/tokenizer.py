"""The tokenizer of a folder, as a ``tokenizer.json`` that is proven to give the ids that transformers gives."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.bundle.manifest import TextInput
from edgekit.errors import DataError, EnvironmentLacks, ModelError
from edgekit.processing.tokens import TextEncoder
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.network import REMEDY, quiet_transformers, require_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MEMBER = "assets/tokenizer.json"
FILE = "tokenizer.json"
_ENDLESS = 1_000_000
"""Transformers' length of a tokenizer that has none is 10^30."""

_VOCABULARIES = (FILE, "vocab.txt", "vocab.json", "*.model", "*.tiktoken")
_STRANGE = (
    "", " ", "\t\n", "a", "A", "I am.", "don't stop", "naïve café", "nai\u0308ve", "ﬁne ﬂow", "ＦＵＬＬ ｗｉｄｔｈ",
    "😀", "👩\u200d👩\u200d👧 family", "🏳️\u200d🌈", "e\u0301\u0302\u0303", "Z̷a̸l̵g̶o̴", "مرحبا بالعالم", "שלום עולם",
    "今天天气很好", "東京タワーに行きました。", "안녕하세요", "नमस्ते", "สวัสดีชาวโลก",
    "Привет, мир!", "Ελληνικά", "İstanbul ıssız",
    "ẞtraße GROẞ", "a\u00a0b\u2003c\u3000d", "zero\u200bwidth", "\ufeffmark", "bell\x07 null\x00 escape\x1b",
    "\x85\u2028\u2029",
    "\ufffd replaced", "\ue000 private", "\U0010ffff", "[CLS] [SEP] [MASK]", "<s> </s> <pad> <unk>", "##ing", "▁under",
    "@user http", "#tag #Etiqueta", "user@example.org", "https://example.org/a?b=c&d=%20", "C:\\temp\\new",
    "1,234.56 €",
    "½ ² Ⅷ ①", "x" * 300, "word " * 700, "。" * 600, "!?!?!?", "...", "“quotes” ‘single’ «guillemets»", "a-b—c–d",
    "  leading and trailing  ", "tab\tand\r\nlines\n\n", "ALL CAPS TEXT", "mIxEd CaSe", "O'Neill's", "l'été", "\\u0041",
    "{}[]()<>",
)  # fmt: skip
_BLOCKS = (
    (0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F),
    (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2190, 0x27BF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
    (0xFF00, 0xFFEF), (0x1F300, 0x1FAFF),
)  # fmt: skip


def strange_texts(n: int = 240) -> Iterator[str]:
    """Texts that tokenizers differ on, then ``n`` drawn from Unicode's blocks; the same ones every time."""
    yield from _STRANGE
    drawn = random.Random(4)
    for _ in range(n):
        low, high = drawn.choice(_BLOCKS)
        words = [
            "".join(chr(drawn.randint(low, high)) for _ in range(drawn.randint(1, 12)))
            for _ in range(drawn.randint(1, 10))
        ]
        yield drawn.choice((" ", "", "  ", "\n")).join(words)


def load_tokenizer(folder: HfFolder) -> PreTrainedTokenizerBase:
    """Transformers' own tokenizer of a folder: the reference.

    Raises:
        EnvironmentLacks: transformers, or what it reads this kind of tokenizer with, is not installed.
        ModelError: the folder has none that it can read.
    """
    if not any(next(folder.path.glob(pattern), None) for pattern in _VOCABULARIES):
        raise ModelError(  # of nothing, transformers makes a tokenizer that knows no word
            f"{folder.origin}: has no tokenizer",
            f"expected one of {', '.join(_VOCABULARIES)} beside config.json",
        )
    require_transformers()
    from transformers import AutoTokenizer

    try:
        with quiet_transformers():
            made: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
                folder.path, local_files_only=True, trust_remote_code=False
            )
    except ImportError as error:
        raise EnvironmentLacks(f"{folder.origin}: its tokenizer: {error}", REMEDY) from error
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"{folder.origin}: transformers cannot read its tokenizer: {lines[0][:300]}",
            "expected tokenizer.json, or the vocabulary that it is made of, beside config.json",
        ) from error
    if getattr(made, "backend_tokenizer", None) is None:
        raise ModelError(
            f"{folder.origin}: {type(made).__name__} has no tokenizer.json and none can be made of it",
            "give the folder a tokenizer.json of the tokenizers library",
        )
    return made


def longest(folder: HfFolder, reference: PreTrainedTokenizerBase, network: Any, asked: int | None) -> int:  # noqa: ANN401
    """Tokens that a text is cut to: the least of what the tokenizer, the positions and the user say.

    RoBERTa's positions begin behind the padding's, so that it has two fewer than ``max_position_embeddings`` says.

    Raises:
        ModelError: none of them says anything.
    """
    said = [asked] if asked else []
    if 0 < reference.model_max_length < _ENDLESS:
        said.append(int(reference.model_max_length))
    positions = folder.config.get("max_position_embeddings")
    if isinstance(positions, int) and positions > 0:
        said.append(positions - _offset(network))
    if not said:
        raise ModelError(
            f"{folder.origin}: neither config.json nor tokenizer_config.json says how long a text may be",
            "add --input-size with the number of tokens",
        )
    return min(said)


def _offset(network: Any) -> int:  # noqa: ANN401 (a torch module)
    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return int(module.padding_idx) + 1
    return 0


def tokenizer_member(folder: HfFolder, reference: PreTrainedTokenizerBase, spec: TextInput) -> bytes:
    """The folder's ``tokenizer.json`` where it gives the ids of transformers; else what transformers makes of it.

    Args:
        folder: the model.
        reference: its tokenizer.
        spec: of the graph's inputs; it names the member.

    Raises:
        ModelError: neither gives the same ids.
    """
    made: Any = reference
    written: list[bytes] = [made.backend_tokenizer.to_str().encode()]
    if folder.has(FILE):
        written.insert(0, (folder.path / FILE).read_bytes())
    texts = list(strange_texts())
    wanted = [made(text, truncation=True, max_length=spec.max_tokens)["input_ids"] for text in texts]
    _check_ids(folder, max(i for ids in wanted for i in ids))
    for data in written:
        differs = _first_difference(data, spec, texts, wanted)
        if differs is None:
            return data
    raise ModelError(
        f"{folder.origin}: the tokenizers library gives other ids than transformers' {type(reference).__name__}, "
        f"first for {differs!r}"
    )


def with_padding(data: bytes, reference: PreTrainedTokenizerBase) -> bytes:
    """The tokenizer, told how to pad where it was not: graphs of a fixed length need it.

    Args:
        data: a ``tokenizer.json``.
        reference: transformers' own; one without padding leaves ``data`` as it is.
    """
    known = json.loads(data)
    if known.get("padding") is not None or reference.pad_token_id is None:
        return data
    known["padding"] = {
        "strategy": {"Fixed": 1},  # the length that the bundle says takes its place
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": reference.pad_token_id,
        "pad_type_id": reference.pad_token_type_id,
        "pad_token": reference.pad_token,
    }
    return json.dumps(known, ensure_ascii=False).encode()


def _check_ids(folder: HfFolder, largest: int) -> None:
    rows = folder.config.get("vocab_size")
    if isinstance(rows, int) and largest >= rows:
        raise ModelError(
            f"{folder.origin}: its tokenizer gives id {largest}, and config.json has a vocab_size of {rows}",
            "take the tokenizer that belongs to these weights",
        )


def _first_difference(data: bytes, spec: TextInput, texts: list[str], wanted: list[list[int]]) -> str | None:
    with tempfile.TemporaryDirectory(prefix="edgekit-tokenizer-") as name:
        path = Path(name) / spec.tokenizer
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        encode = TextEncoder(spec, Path(name))
        for text, ids in zip(texts, wanted, strict=True):
            try:
                got = encode(text)[spec.ids][0].tolist()
            except DataError:  # a text without a token, which the task refuses
                got = []
            if got != ids:
                return text
    return None
