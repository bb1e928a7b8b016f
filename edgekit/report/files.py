"""Writes a report's files, all of them or none."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import msgspec

from edgekit.bundle.atomic import replacing, settle
from edgekit.errors import OutputError
from edgekit.report.accuracy import Report
from edgekit.report.html import html
from edgekit.report.markdown import markdown


def write_report(report: Report, folder: Path) -> dict[str, Path]:
    """Writes ``report.json``, ``report.md`` and ``report.html``.

    Args:
        report: what they say.
        folder: where to; made if missing.

    Returns:
        The paths, by ``json``, ``markdown`` and ``html``.

    Raises:
        OutputError: they cannot be written.
        EnvironmentLacks: jinja2 is not installed; nothing was written.
    """
    contents = {
        "json": ("report.json", msgspec.json.format(msgspec.json.encode(report), indent=1)),
        "markdown": ("report.md", markdown(report).encode()),
        "html": ("report.html", html(report).encode()),
    }
    make_folder(folder)
    paths = {}
    with ExitStack() as stack:  # all have their bytes before one gets its name
        for kind, (name, content) in contents.items():
            paths[kind] = folder / name
            file = stack.enter_context(replacing(paths[kind]))
            file.write(content)
            settle(file)
    return paths


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
