"""What a folder says of the tokens of a language model, proven against transformers' own tokenizer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edgekit.errors import ModelError
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder
from edgekit_export.sources.huggingface.network import quiet_transformers
from edgekit_export.sources.huggingface.tokenizer import FILE, load_tokenizer, strange_texts
from edgekit_export.sources.text_model import TURN_ENDS, Words
from edgekit_export.vocabulary.compact import compact

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

GENERATION = "generation_config.json"
_PROCESSORS_TEMPLATE = "chat_template.json"
"""Of what prepares texts and pictures together, in files of 2024."""
_TEXT = "a b"


def read_words(folder: HfFolder, rows: int) -> Words:
    """Tokenizer, chat template, first token and the tokens that end an answer.

    Args:
        folder: the model.
        rows: of the embedding.

    Raises:
        ModelError: there is no tokenizer, one that gives other ids than transformers', that has more words than
            ``rows``, that puts something else than a first token around texts; or no token ends an answer.
        EnvironmentLacks: transformers, or what it reads this kind of tokenizer with, is not installed.
    """
    reference = load_tokenizer(folder)
    special: Any = reference.special_tokens_map
    return Words(
        tokenizer=_tokenizer(folder, reference, rows),
        chat_template=_template(folder, reference),
        first=_first(folder, reference),
        ends=_ends(folder, reference, rows),
        token_texts={name: text for name, text in special.items() if isinstance(text, str)},
    )


def _tokenizer(folder: HfFolder, reference: PreTrainedTokenizerBase, rows: int) -> bytes:
    """The folder's own file, else what transformers makes of it: the first that gives transformers' ids."""
    from tokenizers import Tokenizer

    made: Any = reference
    texts = list(strange_texts())
    with quiet_transformers():  # some are longer than models are made for
        wanted = made(texts, add_special_tokens=False)["input_ids"]
    differs = ""
    own = [(folder.path / FILE).read_bytes()] if folder.has(FILE) else []
    for data in (*own, made.backend_tokenizer.to_str().encode()):
        smaller = compact(_with_rows(folder, data, rows))
        library: Any = Tokenizer.from_str(smaller.decode())
        library.no_truncation()
        library.no_padding()
        got = [found.ids for found in library.encode_batch(texts, add_special_tokens=False)]
        if got == wanted:
            return smaller
        differs = next(text for text, a, b in zip(texts, got, wanted, strict=True) if a != b)
    raise ModelError(
        f"{folder.origin}: the tokenizers library gives other ids than transformers' {type(reference).__name__}, "
        f"first for {differs!r}"
    )


def _with_rows(folder: HfFolder, tokenizer: bytes, rows: int) -> bytes:
    """Without added tokens that the embedding has no row for: Gemma 3's tokenizer knows pictures, its text models not.

    Raises:
        ModelError: other tokens have none either, or it is no byte-pair tokenizer.
    """
    parsed = json.loads(tokenizer)
    if (kind := parsed["model"].get("type", "BPE")) != "BPE":
        raise ModelError(f"{folder.origin}: expected a byte-pair tokenizer (BPE), got {kind!r}")
    added = [token for token in parsed.get("added_tokens") or () if token["id"] < rows]
    dropped = {token["content"] for token in parsed.get("added_tokens") or ()} - {
        token["content"] for token in added
    }
    words = {text: i for text, i in parsed["model"]["vocab"].items() if text not in dropped}
    if (last := max(words.values())) >= rows:
        raise ModelError(
            f"{folder.origin}: its tokenizer has ids up to {last}, and config.json a vocab_size of {rows}",
            "take the tokenizer that belongs to these weights",
        )
    if not dropped:
        return tokenizer
    model = {**parsed["model"], "vocab": words}
    return json.dumps({**parsed, "added_tokens": added, "model": model}).encode()


def _template(folder: HfFolder, reference: PreTrainedTokenizerBase) -> str:
    """The chat template, of several the one named ``default``."""
    found: Any = reference.chat_template
    if folder.has(_PROCESSORS_TEMPLATE) and not folder.has("chat_template.jinja"):
        found = folder.read_json(_PROCESSORS_TEMPLATE).get("chat_template")
    if isinstance(found, dict):
        found = found.get("default")
        if found is None:
            raise ModelError(f"{folder.origin}: has several chat templates and none is named default")
    return found or ""


def _first(folder: HfFolder, reference: PreTrainedTokenizerBase) -> int | None:
    made: Any = reference
    bare, whole = made(_TEXT, add_special_tokens=False)["input_ids"], made(_TEXT)["input_ids"]
    if whole == bare:
        return None
    if whole[1:] == bare:
        return int(whole[0])
    raise ModelError(
        f"{folder.origin}: its tokenizer makes {whole} of {bare}, expected one token before it at most",
        "take the tokenizer of a model that continues text",
    )


def _ends(folder: HfFolder, reference: PreTrainedTokenizerBase, rows: int) -> tuple[int, ...]:
    """As ``generate`` of transformers ends, and at every token that is known to end a turn."""
    said = folder.read_json(GENERATION) if folder.has(GENERATION) else {}
    given = said.get("eos_token_id", folder.config.get("eos_token_id"))
    found = {reference.eos_token_id} if given is None else set(given if isinstance(given, list) else [given])
    made: Any = reference
    found |= {
        i for i, token in made.added_tokens_decoder.items() if token.special and token.content in TURN_ENDS
    }
    found.discard(None)
    wrong = [i for i in found if type(i) is not int or not 0 <= i < rows]
    if wrong or not found:
        raise ModelError(
            f"{folder.origin}: {GENERATION} or {CONFIG}: eos_token_id: expected tokens of 0 to {rows - 1}, "
            f"got {given!r}"
        )
    return tuple(sorted(found))
