"""The typefaces that rendered text is set in: all from Python packages, none from the system.

Each package carries its fonts' licence (DejaVu: Bitstream Vera; STIX, Hanken Grotesk, Manrope, Source Sans,
Source Serif, Amatic SC: SIL OFL 1.1; Computer Modern: AMS; Caladea: Apache-2.0), so that a rendered line is
the same on every machine that has the same versions of them.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

from edgekit.errors import EnvironmentLacks

_MATPLOTLIB = "matplotlib", "mpl-data/fonts/ttf"

SOURCES: dict[str, tuple[tuple[str, str], str]] = {
    "dejavu-sans": (_MATPLOTLIB, "DejaVuSans.ttf"),
    "dejavu-sans-bold": (_MATPLOTLIB, "DejaVuSans-Bold.ttf"),
    "dejavu-sans-oblique": (_MATPLOTLIB, "DejaVuSans-Oblique.ttf"),
    "dejavu-serif": (_MATPLOTLIB, "DejaVuSerif.ttf"),
    "dejavu-serif-bold-italic": (_MATPLOTLIB, "DejaVuSerif-BoldItalic.ttf"),
    "dejavu-mono": (_MATPLOTLIB, "DejaVuSansMono.ttf"),
    "dejavu-mono-bold": (_MATPLOTLIB, "DejaVuSansMono-Bold.ttf"),
    "stix": (_MATPLOTLIB, "STIXGeneral.ttf"),
    "stix-bold": (_MATPLOTLIB, "STIXGeneralBol.ttf"),
    "stix-italic": (_MATPLOTLIB, "STIXGeneralItalic.ttf"),
    "caladea": (("font_caladea", "files"), "Caladea-Regular.ttf"),
    "caladea-bold": (("font_caladea", "files"), "Caladea-Bold.ttf"),
    "caladea-italic": (("font_caladea", "files"), "Caladea-Italic.ttf"),
    "hanken-grotesk": (("font_hanken_grotesk", "files"), "HankenGrotesk-Regular.otf"),
    "hanken-grotesk-light": (("font_hanken_grotesk", "files"), "HankenGrotesk-Light.otf"),
    "hanken-grotesk-bold-italic": (("font_hanken_grotesk", "files"), "HankenGrotesk-BoldItalic.otf"),
    "manrope": (("font_manrope", "files"), "Manrope-Regular.ttf"),
    "manrope-extra-bold": (("font_manrope", "files"), "Manrope-ExtraBold.ttf"),
    "source-sans": (("font_source_sans_pro", "files"), "SourceSansPro-Regular.ttf"),
    "source-sans-black": (("font_source_sans_pro", "files"), "SourceSansPro-Black.ttf"),
    "source-sans-light-italic": (("font_source_sans_pro", "files"), "SourceSansPro-LightIt.ttf"),
    "source-serif": (("font_source_serif_pro", "files"), "SourceSerifPro-Regular.ttf"),
    "source-serif-bold": (("font_source_serif_pro", "files"), "SourceSerifPro-Bold.ttf"),
    "source-serif-italic": (("font_source_serif_pro", "files"), "SourceSerifPro-It.ttf"),
    "amatic-bold": (("font_amatic_sc", "files"), "AmaticSC-Bold.ttf"),
}
"""Name → (package, folder in it) and file. All hold the printable ASCII characters."""

NAMES: tuple[str, ...] = tuple(SOURCES)
CAPITALS = frozenset({"amatic-bold"})
"""Typefaces whose small letters are capitals: text in them is upper case, or its truth would be a guess."""


@cache
def path(name: str) -> Path:
    """Where the file of a typeface lies.

    Raises:
        EnvironmentLacks: its package is not installed, or holds no such file.
    """
    (package, folder), file = SOURCES[name]
    spec = find_spec(package)
    roots = list(spec.submodule_search_locations or ()) if spec else []
    for root in roots:
        found = Path(root) / folder / file
        if found.is_file():
            return found
    raise EnvironmentLacks(
        f"typeface {name}: expected {file} in the Python package {package}, found none",
        "install edgekit-export with its dependencies",
    )


@lru_cache(maxsize=256)
def load(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A typeface at ``size`` pixels an em, in FreeType's basic layout (kerning, no shaping)."""
    return ImageFont.truetype(str(path(name)), size, layout_engine=ImageFont.Layout.BASIC)
