"""``recipe.toml``: where a model comes from, how pictures go in, what comes out, and on which data it is judged.

A recipe is data, checked against the structs below; unknown keys are refused. The same format serves the named
models of ``models/`` and a user's own folder.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from edgekit.bundle.manifest import Card, Head, Input, MemberPath, Name, Sha256, Strict
from edgekit.catalog.cards import read_card
from edgekit.errors import DataError, UsageError

T = TypeVar("T")


class Package(Strict):
    """A wheel of PyPI, or a package of npm. ``platform`` and ``python`` pick one where a release has several."""

    distribution: str
    version: str
    sha256: Sha256
    index: Literal["pypi", "npm"] = "pypi"
    platform: str | None = None
    python: str | None = None


class SourceModel(Strict):
    """One graph: an ONNX or TFLite file, a TensorFlow.js graph model (``.json``), or a torch network with its weights.

    Attributes:
        constants: inputs of an ONNX file that become constants of this value, such as a sampling rate.
        shapes: inputs of an ONNX file that get this shape, where the file leaves it open.
        shape: of a picture's tensor before layout and cast are folded in: NCHW, 0 for a dynamic side.
        input: how a picture, text or sound becomes the graph's input; ``normalize`` is folded into the graph.
        file: within the package, or beside the recipe. Absent for a network that brings its own weights.
        network: ``module:function`` giving a ``torch.nn.Module``; it is called with the path of ``file``.
        quantize: how int8 is made; see :class:`edgekit_export.quantize.recipe.Recipe`.
    """

    input: Input
    head: Head
    shape: tuple[int, int, int, int] = (0, 0, 0, 0)
    file: str | None = None
    package: str | None = None
    sha256: Sha256 | None = None
    network: str | None = None
    constants: dict[str, float] = msgspec.field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    quantize: dict[str, Any] = msgspec.field(default_factory=dict)


class HubFolder(Strict):
    """A folder as the Hugging Face hub has them: it says of itself what a graph would need said.

    Attributes:
        package: that has it; beside the recipe where absent.
        folder: where it lies in there.
        files: that are needed of it, paths within the folder.
        sha256: of ``model.safetensors``.
    """

    folder: str
    files: Annotated[tuple[MemberPath, ...], Meta(min_length=1)]
    sha256: Sha256
    package: str | None = None


HubName: TypeAlias = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?\Z", max_length=200)
]
"""``owner/name`` or ``owner/name@revision`` of the Hugging Face hub."""


class GgufFile(Strict):
    """A GGUF file inside packages, in parts where one package cannot hold it.

    Attributes:
        name: of the whole file.
        parts: package and path of each part, in order.
        sha256: of the whole file.
    """

    name: MemberPath
    parts: Annotated[tuple[tuple[str, str], ...], Meta(min_length=1)]
    sha256: Sha256


class Asset(Strict):
    """A file that the bundle carries beside the graphs, and how it is made."""

    kind: Literal["text", "coco_classes", "imagenet_synsets", "onnx_character"]
    package: str | None = None
    file: str | None = None


class DataSource(Strict):
    """Data to calibrate or evaluate on: a ``--data`` specification, or files of a package with a query."""

    data: str | None = None
    package: str | None = None
    files: tuple[str, ...] = ()
    query: str = ""


class ModelRecipe(Strict):
    """The whole of a ``recipe.toml``.

    Attributes:
        hub: a folder as the hub has them in a package or beside the recipe, or a model's name there. Of a name the
            user may give the folder instead, which is how weights that the hub has as pickles only are used.
    """

    schema: Literal[1]
    task: Literal[
        "activity", "classify", "detect", "embed", "generate", "ocr", "transcribe", "vision_language"
    ]
    models: dict[Name, SourceModel] = msgspec.field(default_factory=dict)
    hub: HubFolder | HubName | None = None
    gguf: GgufFile | None = None
    packages: dict[str, Package] = msgspec.field(default_factory=dict)
    assets: dict[MemberPath, Asset] = msgspec.field(default_factory=dict)
    calibration: DataSource | None = None
    evaluation: DataSource | None = None


def read_toml(path: Path, kind: type[T]) -> T:
    """Reads a TOML file into a checked struct.

    Raises:
        DataError: it cannot be read, is no TOML, or breaks the struct's rules; the message names the key.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise DataError(f"{path}: {error}", "see CONTRIBUTING.md, “add a model”") from error


def load_recipe(folder: Path) -> tuple[Card, ModelRecipe]:
    """Card and recipe of a model's folder.

    Raises:
        DataError: a file is missing or breaks a rule.
        UsageError: the recipe names a package that it does not declare, or the card says why there is none.
    """
    if not (folder / "recipe.toml").is_file() and (folder / "card.toml").is_file():
        reason = read_card(folder / "card.toml").no_recipe
        if reason:
            raise UsageError(f"{folder.name}: is in the catalogue without a recipe", reason)
    recipe = read_toml(folder / "recipe.toml", ModelRecipe)
    if sum(map(bool, (recipe.models, recipe.hub, recipe.gguf))) != 1:
        raise UsageError(
            f"{folder.name}/recipe.toml: expected graphs in [models], a folder in [hub] or a name in "
            "hub, or a file in [gguf]"
        )
    used = [
        *recipe.models.values(),
        *recipe.assets.values(),
        recipe.calibration,
        recipe.evaluation,
        recipe.hub if isinstance(recipe.hub, HubFolder) else None,
    ]
    named = [part.package for part in used if part is not None and part.package is not None]
    named += [package for package, _ in recipe.gguf.parts] if recipe.gguf is not None else []
    for package in named:
        if package not in recipe.packages:
            raise UsageError(
                f"{folder.name}/recipe.toml: names package {package!r}",
                f"declared are: {', '.join(sorted(recipe.packages)) or 'none'}",
            )
    return read_card(folder / "card.toml"), recipe
