"""Writes a report's files, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from edgekit.bundle.atomic import replacing, settle
from edgekit.errors import OutputError
from edgekit.report.accuracy import Report
from edgekit.report.comparison import Comparison
from edgekit.report.comparison_page import comparison_html, comparison_markdown
from edgekit.report.html import html
from edgekit.report.junit import junit
from edgekit.report.markdown import markdown
from edgekit.unicode import encodable


def write_report(report: Report, folder: Path) -> dict[str, Path]:
    """Writes ``report.json``, ``report.md``, ``report.html`` and ``report.junit.xml``.

    Names that are no UTF-8 (of files that were measured on) are written as ``\\udce9``.

    Args:
        report: what they say.
        folder: where to; made if missing.

    Returns:
        The paths, by ``json``, ``markdown``, ``html`` and ``junit``.

    Raises:
        OutputError: they cannot be written.
        EnvironmentLacks: jinja2 is not installed; nothing was written.
    """
    report = _encodable(report)
    return _write(
        folder,
        {
            "json": ("report.json", _json(report)),
            "markdown": ("report.md", markdown(report).encode()),
            "html": ("report.html", html(report).encode()),
            "junit": ("report.junit.xml", junit(report).encode()),
        },
    )


def write_comparison(comparison: Comparison, folder: Path) -> dict[str, Path]:
    """Writes ``comparison.json``, ``comparison.md`` and ``comparison.html``; see :func:`write_report`."""
    return _write(
        folder,
        {
            "json": ("comparison.json", _json(comparison)),
            "markdown": ("comparison.md", comparison_markdown(comparison).encode()),
            "html": ("comparison.html", comparison_html(comparison).encode()),
        },
    )


def make_folder(folder: Path) -> None:
    """Makes the folder, if it is not there.

    Raises:
        OutputError: it cannot be made, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror or error}", "name a folder that can be made") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: no permission to write there", "name a folder that can be written to")


def _write(folder: Path, contents: Mapping[str, tuple[str, bytes]]) -> dict[str, Path]:
    make_folder(folder)
    paths = {}
    with ExitStack() as stack:  # all have their bytes before one gets its name
        for kind, (name, content) in contents.items():
            paths[kind] = folder / name
            file = stack.enter_context(replacing(paths[kind]))
            file.write(content)
            settle(file)
    return paths


def _json(value: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def _encodable(report: Report) -> Report:
    try:
        msgspec.json.encode(report)
    except UnicodeEncodeError:
        return msgspec.convert(encodable(msgspec.to_builtins(report)), Report)
    return report
