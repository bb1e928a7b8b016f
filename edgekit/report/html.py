"""The report as one self-contained HTML page: no script, no network, pictures inside."""

from __future__ import annotations

import base64
from importlib.util import find_spec
from pathlib import Path

from edgekit.errors import EnvironmentLacks
from edgekit.report.accuracy import Report
from edgekit.report.facts import METRICS, contrasts, facts, headline, surroundings
from edgekit.report.plot import interval_plot

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


def html(report: Report) -> str:
    """The page.

    Raises:
        EnvironmentLacks: jinja2 is not installed.
    """
    require_html()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("accuracy.html").render(
        report=report,
        card=report.card,
        headline=headline(report),
        metric=METRICS[report.metric],
        facts=facts(report),
        contrasts=contrasts(report),
        surroundings=surroundings(report),
        plot=Markup(interval_plot(report.drop, report.interval, report.max_drop)),
        pictures=[_data_uri(w.thumbnail) for w in report.worst],
    )


def _data_uri(jpeg: bytes | None) -> str | None:
    return None if jpeg is None else "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
