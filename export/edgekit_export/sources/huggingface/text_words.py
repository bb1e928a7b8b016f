"""What a folder says of the tokens of a language model, proven against transformers' own tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgekit.errors import ModelError
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder
from edgekit_export.sources.huggingface.tokenizer import FILE, load_tokenizer, strange_texts
from edgekit_export.sources.text_model import TURN_ENDS, Words
from edgekit_export.vocabulary.compact import compact

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

GENERATION = "generation_config.json"
_TEXT = "a b"


def read_words(folder: HfFolder, rows: int) -> Words:
    """Tokenizer, chat template, first token and the tokens that end an answer.

    Args:
        folder: the model.
        rows: of the embedding.

    Raises:
        ModelError: there is no tokenizer, one that gives other ids than transformers', that has more tokens than
            ``rows``, that puts something else than a first token around texts; or no token ends an answer.
        EnvironmentLacks: transformers, or what it reads this kind of tokenizer with, is not installed.
    """
    reference = load_tokenizer(folder)
    if len(reference) > rows:
        raise ModelError(
            f"{folder.origin}: its tokenizer has {len(reference)} tokens, and config.json a vocab_size of {rows}",
            "take the tokenizer that belongs to these weights",
        )
    special: Any = reference.special_tokens_map
    return Words(
        tokenizer=_tokenizer(folder, reference),
        chat_template=_template(folder, reference),
        first=_first(folder, reference),
        ends=_ends(folder, reference),
        token_texts={name: text for name, text in special.items() if isinstance(text, str)},
    )


def _tokenizer(folder: HfFolder, reference: PreTrainedTokenizerBase) -> bytes:
    """The folder's own file, else what transformers makes of it: the first that gives transformers' ids."""
    from tokenizers import Tokenizer

    made: Any = reference
    texts = list(strange_texts())
    wanted = made(texts, add_special_tokens=False)["input_ids"]
    differs = ""
    own = [(folder.path / FILE).read_bytes()] if folder.has(FILE) else []
    for data in (*own, made.backend_tokenizer.to_str().encode()):
        smaller = compact(data)
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


def _template(folder: HfFolder, reference: PreTrainedTokenizerBase) -> str:
    """The chat template, of several the one named ``default``."""
    found: Any = reference.chat_template
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


def _ends(folder: HfFolder, reference: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """As ``generate`` of transformers ends, and at every token that is known to end a turn."""
    said = folder.read_json(GENERATION) if folder.has(GENERATION) else {}
    given = said.get("eos_token_id", folder.config.get("eos_token_id"))
    found = {reference.eos_token_id} if given is None else set(given if isinstance(given, list) else [given])
    made: Any = reference
    found |= {
        i for i, token in made.added_tokens_decoder.items() if token.special and token.content in TURN_ENDS
    }
    found.discard(None)
    wrong = [i for i in found if type(i) is not int or not 0 <= i < len(reference)]
    if wrong or not found:
        raise ModelError(
            f"{folder.origin}: {GENERATION} or {CONFIG}: eos_token_id: expected tokens of 0 to {len(reference) - 1}, "
            f"got {given!r}"
        )
    return tuple(sorted(found))
