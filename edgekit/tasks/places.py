"""Where pictures stand in a conversation, and in the tokens that are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from edgekit.bundle.manifest import FeaturesHead
from edgekit.bundle.messages import counted, printable
from edgekit.errors import DataError
from edgekit.tasks.given import Given, ImageToken, Item
from edgekit.tasks.picture import Picture

Turn = Mapping[str, Any]


def with_places(turns: Sequence[Turn], pictures: int) -> list[Turn]:
    """Turns whose contents are lists of parts, as templates of vision-language models take them.

    Args:
        turns: contents are texts or such lists.
        pictures: how many there are. Where no turn names one, all come first in the user's first turn.

    Raises:
        DataError: turns name another number of pictures, hold something else than texts and places of pictures, or
            there is no turn of a user.
    """
    made = [{**turn, "content": _parts(turn.get("content"))} for turn in turns]
    named = sum(_is_image(part) for turn in made for part in turn["content"])
    if named == pictures:
        return list(made)
    if named:
        raise DataError(
            f"prompt: its turns name {counted(named, 'picture')}, got {pictures}", "give one for each"
        )
    first = next((turn for turn in made if turn.get("role") == "user"), None)
    if first is None:
        raise DataError("prompt: has no turn of a user, where pictures could stand")
    first["content"] = [{"type": "image"}] * pictures + first["content"]
    return list(made)


def placed(tokens: list[int], pictures: Sequence[Picture], head: FeaturesHead) -> Given:
    """A prompt with the pictures in their places.

    Args:
        tokens: with as many placeholders as all tiles of all pictures have rows.
        pictures: in the order of their places.
        head: says what a placeholder is.

    Raises:
        DataError: another number of placeholders: a text that itself names one, say; or pictures that look at each
            other both ways, and whose placeholders are apart, or side by side with another's.
    """
    rows = (
        ImageToken(tile, row)
        for picture in pictures
        for tile in picture.identities
        for row in range(head.tokens)
    )
    wanted = head.tokens * sum(len(picture.identities) for picture in pictures)
    if (found := tokens.count(head.placeholder)) != wanted:
        raise DataError(
            f"prompt: tokens that stand for pictures: {found}, expected {wanted}, those of "
            + counted(len(pictures), "picture"),
            "leave the image token out of texts",
        )
    runs = [len(list(run)) for token, run in groupby(tokens) if token == head.placeholder]
    if head.both_ways and set(runs) - {head.tokens}:
        odd = next(size for size in runs if size != head.tokens)
        raise DataError(
            f"prompt: {odd} tokens in a row stand for pictures, expected {head.tokens}, those of one picture",
            "leave a picture's tokens together, with its marks around them",
        )
    items: list[Item] = [next(rows) if token == head.placeholder else token for token in tokens]
    return Given(items, tokens, {one: get for picture in pictures for one, get in picture.pixels().items()})


def _parts(content: object) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    parts = list(content) if isinstance(content, Sequence) else [content]
    for part in parts:
        if not _is_image(part) and not _is_text(part):
            what = printable(str(part))
            raise DataError(
                f"prompt: a turn holds {what}", "give it a text, or a list of parts of type text and image"
            )
    return parts


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _is_image(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "image"
