"""Licence texts that must travel with a model's weights."""

from __future__ import annotations

_GEMMA = b"Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms\n"
"""Section 3.1 of the Gemma Terms of Use: this line, in a file named Notice."""

MEMBER = "assets/NOTICE"


def license_notices(license_name: object) -> dict[str, bytes]:
    """Member path → text, by the licence's name; empty where the licence asks for none."""
    return {MEMBER: _GEMMA} if license_name == "gemma" else {}
