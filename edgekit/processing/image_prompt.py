"""Where a prompt says that a picture stands, all the marks and places of its tiles follow.

As the processors write them: Idefics3's and SmolVLM's (``processing_idefics3.py``, ``processing_smolvlm.py`` of
transformers 5.23) and Gemma 3's (``processing_gemma3.py``, pan and scan off).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.bundle.manifest import FeaturesHead
from edgekit.bundle.messages import counted, printable
from edgekit.errors import BundleError, DataError
from edgekit.processing.tokens import tokenizer_faults
from edgekit.processing.typed import OPEN


@dataclass(frozen=True, slots=True)
class Marks:
    """Of one layout. (Quoted ones are letters that somebody typed; see :mod:`edgekit.processing.typed`.)

    Attributes:
        picture: what chat templates write for a picture.
        placeholder: text of the token whose embedding a row of features replaces.
        around: pattern of the marks that only stand around pictures.
    """

    picture: str
    placeholder: str
    around: str


MARKS = {
    "idefics3": Marks("<image>", "<image>", "<fake_token_around_image>|<global-img>|<row_[0-9]+_col_[0-9]+>"),
    "gemma3": Marks("<start_of_image>", "<image_soft_token>", "<image_soft_token>|<end_of_image>"),
}


def expand_marks(text: str, grids: Sequence[tuple[int, int]], head: FeaturesHead) -> str:
    """A prompt with all marks and places of its pictures.

    Args:
        text: as the chat template writes it, with one mark (``<image>`` or ``<start_of_image>``) a picture.
        grids: rows and columns of each picture in turn, both 0 where it is not split.
        head: says how marks are laid out, and how many places a tile takes.

    Raises:
        DataError: the text has another number of marks, or marks that only belong around pictures.
    """
    marks = MARKS[head.layout]
    if (stray := re.search(f"(?<!{OPEN})(?:{marks.around})", text)) is not None:
        raise DataError(
            f"prompt: the text holds {stray[0]}, which only stands around pictures", "leave it out of texts"
        )
    first, *rest = re.split(f"(?<!{OPEN}){marks.picture}", text)
    if len(rest) != len(grids):
        found = f"the text has {counted(len(rest), 'mark')} {marks.picture}"
        raise DataError(
            f"prompt: {found}, got {counted(len(grids), 'picture')}",
            "give one picture for each",
        )
    made = [first]
    for (rows, columns), after in zip(grids, rest, strict=True):
        made.append(
            _idefics3(rows, columns, head.tokens) if head.layout == "idefics3" else _gemma3(head.tokens)
        )
        made.append(after)
    return "".join(made)


def check_marks(tokenizer: Any, head: FeaturesHead, name: str) -> None:  # noqa: ANN401 (tokenizers ships no types)
    """That the tokenizer makes a placeholder of each place, whatever stands beside it.

    Args:
        tokenizer: the library's object.
        head: names the placeholder.
        name: of the tokenizer, for messages.

    Raises:
        BundleError: it makes something else.
    """
    text = MARKS[head.layout].placeholder
    with tokenizer_faults(name):
        ids = tokenizer.encode(text * 2, add_special_tokens=False).ids
    if ids != [head.placeholder] * 2:
        got = f"{text} twice gives tokens {printable(str(ids))}"
        raise BundleError(f"{name}: {got}, expected {head.placeholder} twice, the placeholder of pictures")


def _idefics3(rows: int, columns: int, tokens: int) -> str:
    fake, places = "<fake_token_around_image>", "<image>" * tokens
    lines = [
        "".join(f"{fake}<row_{row}_col_{column}>{places}" for column in range(1, columns + 1)) + "\n"
        for row in range(1, rows + 1)
    ]
    return "".join([*lines, "\n" if lines else "", fake, "<global-img>", places, fake])


def _gemma3(tokens: int) -> str:
    return f"\n\n<start_of_image>{'<image_soft_token>' * tokens}<end_of_image>\n\n"
