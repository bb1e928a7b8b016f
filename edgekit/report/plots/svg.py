"""SVG elements as text, styled by the page's classes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


def figure(label: str, height: float, parts: Iterable[str], name: str = "plot") -> str:
    """An SVG as wide as its place; readers that see nothing are told ``label``."""
    return (
        f'<svg class="{name}" role="img" width="100%" height="{height:g}" aria-label="{escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def standalone(drawing: str, width: int, style: str) -> str:
    """A figure as a file of its own: of a fixed width, with the style that a page would give it."""
    opened = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}"'
    head, rest = drawing.split(">", 1)
    head = head.replace("<svg", opened, 1).replace(' width="100%"', "", 1)
    return f"{head}><style>{style}</style>{rest}\n"


def stretched(size_wh: tuple[float, float], place: tuple[float, float], parts: Iterable[str]) -> str:
    """Parts in a space of their own, stretched over the width between the margins.

    Args:
        size_wh: of that space.
        place: top and height in pixels of the figure.
        parts: shapes without text.
    """
    width, height = size_wh
    return (
        f'<svg x="4%" width="92%" y="{place[0]:g}" height="{place[1]:g}" viewBox="0 0 {width:g} {height:g}" '
        f'preserveAspectRatio="none">{"".join(parts)}</svg>'
    )


def line(name: str, x: tuple[float, float], y: tuple[float, float]) -> str:
    """A line; ``x`` in percent, ``y`` in pixels."""
    return f'<line class="{name}" x1="{x[0]:g}%" x2="{x[1]:g}%" y1="{y[0]:g}" y2="{y[1]:g}"/>'


def dot(name: str, x: float, y: float, radius: float) -> str:
    """A disc; ``x`` in percent."""
    return f'<circle class="{name}" cx="{x:g}%" cy="{y:g}" r="{radius:g}"/>'


def text(x: float, y: float, content: str, name: str, anchor: str = "") -> str:
    """A line of text; ``x`` in percent. It is centred there unless that would leave the picture."""
    side = anchor or ("start" if x < 10 else "end" if x > 90 else "middle")
    return f'<text class="{name}" x="{x:g}%" y="{y:g}" text-anchor="{side}">{escape(content)}</text>'
