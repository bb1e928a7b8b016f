"""The card of a model of the hub: what ``config.json`` and the README's metadata say, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.bundle.manifest import Card
from edgekit.errors import EnvironmentLacks, ModelError
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.source import without_folders

README = "README.md"
NOT_STATED = "not stated"
_MAX_LINE = 300
_MAX_README_BYTES = 1 << 20
"""The metadata stand at its beginning."""


def card_of(
    folder: HfFolder,
    task: str,
    parameters: int,
    *,
    domain: str,
    input_range: str,
    cannot: tuple[str, ...] = (),
) -> Card:
    """A card that invents nothing.

    Args:
        folder: the model.
        task: of the bundle.
        parameters: count of its weights.
        domain: what it was made for, in a line, where the README's tags say no more.
        input_range: what it takes.
        cannot: what is known that it cannot do.

    Raises:
        ModelError: the README's metadata are damaged.
        EnvironmentLacks: there are some, and PyYAML to read them is not installed.
    """
    told = read_metadata(folder)
    license_name = _text(told.get("license_name")) if told.get("license") == "other" else None
    languages = tuple(text for item in _list(told.get("language")) if (text := _text(item)))
    trained = ", ".join(text for item in _list(told.get("datasets")) if (text := _text(item)))
    missing = [name for name in ("license", "datasets") if not told.get(name)]
    if folder.has(README):
        unknown, silent = (
            "its README does not say what it cannot do: see its page on the hub",
            "its README does not state",
        )
    else:
        unknown, silent = (
            "it has no README, which would say what it cannot do",
            "it has no README, which would state",
        )
    return Card(
        title=one_line(folder.title),
        task=task,
        domain=one_line(domain),
        languages=tuple(one_line(language) for language in languages),
        input_range=input_range,
        cannot=(*cannot, unknown),
        license=one_line(license_name or _text(told.get("license")) or NOT_STATED),
        source=one_line(without_folders(folder.origin)),
        parameters=parameters,
        trained_on=one_line(trained),
        notes=f"{silent}: {', '.join(missing)}" if missing else "",
    )


def read_metadata(folder: HfFolder) -> Mapping[str, Any]:
    """The README's YAML front matter; empty where there is none.

    Raises:
        ModelError: it is damaged.
        EnvironmentLacks: PyYAML is not installed.
    """
    if not folder.has(README):
        return {}
    with (folder.path / README).open("rb") as file:
        lines = file.read(_MAX_README_BYTES).decode("utf-8-sig", "replace").splitlines()
    if not lines or lines[0].strip() != "---":
        return {}
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        return {}
    try:
        import yaml
    except ImportError as error:
        raise EnvironmentLacks(
            f"{folder.origin}: README.md: {error}", "pip install 'edgekit-export[transformers]'"
        ) from error
    try:
        found = yaml.safe_load("\n".join(lines[1:end]))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # of a 31st of February it is a ValueError
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{folder.origin}: README.md: its metadata are no YAML: {reason}") from error
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:  # noqa: ANN401 (YAML)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str | None:  # noqa: ANN401 (YAML; "no" is read as a boolean: Norwegian)
    if value is False:
        return "no"
    return value.strip() or None if isinstance(value, str) else None


def one_line(text: str) -> str:
    """On one line, without what a terminal obeys: no manifest has it."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(plain.split())[:_MAX_LINE] or NOT_STATED
