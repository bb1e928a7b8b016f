"""Whether a bundle is used outside its card: at most one sentence a check, with the evidence, and none in doubt."""

from __future__ import annotations

from edgekit.bundle.manifest import (
    Card,
    CenterCrop,
    ImageInput,
    Letterbox,
    Manifest,
    ResizeStretch,
    TilesInput,
    Variant,
)
from edgekit.catalog.language_words import ANY, language_name
from edgekit.catalog.written import foreign

SMALLEST = 4
"""A picture that is enlarged by more than this has nothing of the detail that the model learnt from."""

LONGEST = 8
"""The longest side over the shortest; beyond it a picture that is stretched or cut shows the model little of itself."""


def language_warning(card: Card, text: str) -> str | None:
    """A text in none of the card's languages. Nothing where there are many, or language plays no part.

    Args:
        card: of the model that is given the text, or that read it.
        text: its first 2,000 characters are looked at.
    """
    if ANY in card.languages:
        return None
    found = foreign(text, card.languages)
    return (
        found and f"the text {found}, this model is made for: {', '.join(map(language_name, card.languages))}"
    )


def size_warning(manifest: Manifest, variant: Variant, size_wh: tuple[int, int]) -> str | None:
    """A picture much smaller than what the model sees; nothing of inputs that take the picture's own size.

    Args:
        manifest: of the bundle.
        variant: the one that runs.
        size_wh: of the picture, in pixels; none of them 0.
    """
    seen = _seen(manifest, variant)
    if seen is None:
        return None
    step, (width, height) = seen
    across, down = width / size_wh[0], height / size_wh[1]
    # what keeps its proportions is enlarged as its longer side, or where it is cut its shorter one, asks for
    factor = {"pads": min(across, down)}.get(step, max(across, down))
    if factor <= SMALLEST:
        return None
    return (
        f"the picture is {size_wh[0]} x {size_wh[1]} pixels, this model looks at {width} x {height}: "
        f"enlarged {factor:.1f} times, it has little of what the model learnt from"
    )


def shape_warning(manifest: Manifest, variant: Variant, size_wh: tuple[int, int]) -> str | None:
    """A picture far longer than high, or higher than long, of which the model sees a part or a distorted whole.

    Args: as of :func:`size_warning`.
    """
    seen = _seen(manifest, variant)
    longer, shorter = max(size_wh), min(size_wh)
    if seen is None or seen[0] == "pads" or longer <= LONGEST * shorter:
        return None
    step, (width, height) = seen
    if step == "cuts":
        effect = f"sees the middle {width} x {height} only"
    else:
        effect = f"sees it squeezed into {width} x {height}"
    return (
        f"the picture is {size_wh[0]} x {size_wh[1]} pixels ({longer / shorter:.1f}:1): this model {effect}"
    )


def _seen(manifest: Manifest, variant: Variant) -> tuple[str, tuple[int, int]] | None:
    """How a picture is brought to one size, and to which; ``None`` where there is no one size.

    Readers of text find lines first, and take those as long as they are.
    """
    if manifest.task == "ocr":
        return None
    for model in variant.models.values():
        if isinstance(model.input, ImageInput):
            return _of_image(model.input)
        if isinstance(model.input, TilesInput):
            tiles = model.input
            return ("pads" if tiles.split else "stretches"), (tiles.size, tiles.size)
    return None


def _of_image(given: ImageInput) -> tuple[str, tuple[int, int]] | None:
    steps = {ResizeStretch: "stretches", CenterCrop: "cuts", Letterbox: "pads"}
    for op in reversed(given.ops):
        if isinstance(op, ResizeStretch | CenterCrop | Letterbox):
            return steps[type(op)], (op.width, op.height)
    return None
