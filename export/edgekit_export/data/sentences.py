"""Sentences of our own for golden vectors of text models."""

from __future__ import annotations

SENTENCES = (
    "The ferry leaves at half past six, unless the fog stays.",
    "I am very happy with this kettle; it boils in a minute!",
    "The company lowered its forecast after a weak quarter.",
    "Nobody answered the phone, and the room was cold. Never again.",
    "Water boils at 100 °C at sea level.",
    "¿Dónde está la biblioteca? Abre a las nueve.",
    "She planted beans, peas and three rows of carrots.",
    "Shares of the bank rose by 4.2 % on Tuesday.",
    "Das Fahrrad steht im Keller hinter der Treppe.",
    "ok",
    "The train from Lyon was late, so we missed the first act of the play.",
    "Please refund my order #1042 — the box was empty :(",
)


def sentence(seed: int) -> str:
    """The sentence of that number; they begin again after the last one."""
    return SENTENCES[seed % len(SENTENCES)]
