"""The report as Markdown, e.g. for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.report.accuracy import Report
from edgekit.report.facts import contrasts, facts, headline, surroundings

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|~"} | {"\n": " "})


def markdown(report: Report) -> str:
    """One Markdown document."""
    card = report.card
    parts = [
        f"# {_plain(card.title)}: {_plain(report.subjects.candidate.variant)}",
        f"**{_plain(headline(report))}**",
        _plain(report.reason[0].upper() + report.reason[1:]) + ".",
        _table(("", "value", ""), [(f.name, f.value, f.note) for f in facts(report)]),
        "## Reference and candidate",
        _table(
            ("", "reference", "candidate", ""),
            [(c.name, c.reference, c.candidate, c.note) for c in contrasts(report)],
        ),
        "## What it cannot do",
        "\n".join(f"- {_plain(line)}" for line in card.cannot) or "Its card does not say.",
    ]
    if report.worst:
        rows = [(w.id, w.truth or "", w.reference, w.candidate) for w in report.worst]
        parts += ["## Samples that changed most", _table(("sample", "truth", "reference", "candidate"), rows)]
    parts += [
        "## Measured on",
        _table(("", "", ""), [(f.name, f.value, f.note) for f in surroundings(report)]),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(text: str) -> str:
    return text.translate(_SPECIAL)
