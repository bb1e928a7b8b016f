"""Self-contained HTML pages: no network, and nothing runs but what the page's own policy names by its digest."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgekit.errors import EnvironmentLacks

TEMPLATES = Path(__file__).parent / "templates"


def require_html() -> None:
    """Checks, before a long run, that pages can be made after it.

    Raises:
        EnvironmentLacks: jinja2 is not installed.
    """
    if find_spec("jinja2") is None:
        raise EnvironmentLacks(
            "report: needs jinja2, which is not installed", 'pip install "edgekit[report]"'
        )


def page(
    template: str,
    *,
    styles: Sequence[str] = ("page.css",),
    scripts: Sequence[str] = ("sort.js",),
    **values: Any,  # noqa: ANN401 (what the template shows)
) -> str:
    """Fills a template of :data:`TEMPLATES`; everything but ``Markup`` is escaped.

    Args:
        template: file of the templates.
        styles: files of the templates, put into the page one after the other.
        scripts: the same.
        values: that the template shows.

    Raises:
        EnvironmentLacks: jinja2 is not installed.
    """
    require_html()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from edgekit.report.wording import sentence

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = sentence
    style, script = (
        "".join((TEMPLATES / name).read_text("utf-8") for name in names) for names in (styles, scripts)
    )
    return environment.get_template(template).render(
        style=Markup(style), script=Markup(script), policy=_policy(style, script), **values
    )


def _policy(style: str, script: str) -> str:
    """Content Security Policy: pictures inside the page, this one style, this one script, nothing else."""
    return (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
