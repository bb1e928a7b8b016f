"""SOURCE as people write it → a :class:`Source`: a name in ``models/``, a recipe's folder, an ONNX file, a network.

Folders as the Hugging Face hub has them are ``huggingface/``'s.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import onnx
from msgspec import structs

from edgekit.bundle.atomic import replacing
from edgekit.bundle.manifest import head_tensors
from edgekit.catalog.models import model_folder, model_names
from edgekit.errors import DataError, ModelError, UsageError
from edgekit_export.convert.from_torch import export_torch
from edgekit_export.convert.inline_branches import fix_input
from edgekit_export.convert.shapes import fix_input_shape
from edgekit_export.recipe import Asset, DataSource, ModelRecipe, SourceModel, load_recipe
from edgekit_export.sources.assets import coco_labels, imagenet_labels, onnx_characters
from edgekit_export.sources.bare import BareInput, bare_recipe
from edgekit_export.sources.huggingface.folder import is_hf_folder, open_hf_folder
from edgekit_export.sources.huggingface.hub import fetch_hub, hub_id
from edgekit_export.sources.huggingface.kinds import builder_of
from edgekit_export.sources.huggingface.named import named_folder
from edgekit_export.sources.huggingface.packaged import packaged_source
from edgekit_export.sources.onnx_file import input_shape, onnx_framework, read_onnx, read_onnx_file
from edgekit_export.sources.packages import fetch, file_sha256, package_cache, read_member
from edgekit_export.sources.source import Source, SourceGraph, bundle_name, source_graph
from edgekit_export.sources.tfjs.convert import to_onnx
from edgekit_export.sources.tfjs.graph_model import read_graph_model
from edgekit_export.sources.tflite_file import WrappedGraph, read_tflite_bytes
from edgekit_export.sources.tflite_source import tflite_source, wrapped_graph
from edgekit_export.sources.torch_network import build_network, require_torch, torch_framework

_NETWORK = re.compile(r"[\w.]+:\w+")


def check_converter(source: str, wanted: str | None) -> None:
    """Checks that the TFLite converter is there before a source is loaded that cannot do without.

    Args:
        source: as for :func:`resolve`.
        wanted: ``onnx``, ``tflite``, ``both``, or nothing.

    Raises:
        EnvironmentLacks: it is not.
        UsageError, ModelError: a recipe is damaged.
    """
    if wanted in ("tflite", "both") and _is_network(source):
        from edgekit_export.tflite.converter import require_converter

        require_converter()


def _is_network(source: str) -> bool:
    """Whether it names a torch network, as far as can be told without loading it."""
    path = Path(source)
    if (path / "recipe.toml").is_file() or source in model_names():
        folder = path if (path / "recipe.toml").is_file() else model_folder(source)
        _, recipe = load_recipe(folder)
        return recipe.hub is not None or any(model.network for model in recipe.models.values())
    if _NETWORK.fullmatch(source) or is_hf_folder(path):
        return True
    return path.suffix not in (".onnx", ".tflite") and not path.exists() and hub_id(source) is not None


def resolve(source: str, bare: BareInput | None = None, weights: Path | None = None) -> Source:
    """Loads what ``source`` names.

    Args:
        source: a name in ``models/``, a folder with ``recipe.toml`` and ``card.toml``, an ``.onnx`` or ``.tflite``
            file, ``module:function`` giving a torch network, a folder as the Hugging Face hub has them, or
            ``owner/name`` there.
        bare: how pictures go into a file or a network that brings no recipe.
        weights: the file that a recipe names and no package has, or the folder of a model that it names on the hub.

    Raises:
        UsageError: none of these, weights for what needs none, or ``bare`` says what the model itself says.
        ModelError: a model that is missing, damaged, or of a kind that edgekit does not take.
        EnvironmentLacks: torch, or a package that cannot be fetched.
    """
    path = Path(source)
    if (path / "recipe.toml").is_file():
        return _from_recipe(path.resolve().name, source, path, weights, bare or BareInput())
    if source in model_names():
        return _from_recipe(source, source, model_folder(source), weights, bare or BareInput())
    if weights is not None:
        raise UsageError(f"--weights {weights}: {source} is no model with a recipe", "leave it out")
    if path.suffix == ".onnx":
        return _from_onnx(path, source, bare or BareInput())
    if path.suffix == ".tflite":
        return tflite_source(path, source, bare or BareInput())
    if _NETWORK.fullmatch(source):
        return _from_network(source, bare or BareInput())
    if is_hf_folder(path):
        folder = open_hf_folder(path, source)
        return builder_of(folder)(folder, bare or BareInput())
    if not path.exists() and (asked := hub_id(source)) is not None:
        fetched, origin = fetch_hub(*asked)
        folder = open_hf_folder(fetched, origin)
        return builder_of(folder)(folder, bare or BareInput())
    if path.exists():
        raise ModelError(
            f"{source}: not a model that edgekit exports",
            "expected an .onnx or .tflite file, a folder with recipe.toml and card.toml, or one with config.json as "
            "the Hugging Face hub has them",
        )
    raise UsageError(
        f"source {source!r}: no such file, folder or model",
        f"models known by name: {', '.join(model_names())}; or an .onnx or .tflite file; or module:function "
        "of a torch network; or a folder or owner/name of the Hugging Face hub",
    )


@dataclass(frozen=True, slots=True)
class _Files:
    """Files that a recipe names: in its packages, or beside it, or where its user says.

    Attributes:
        folder: of the recipe.
        recipe: what it says.
        elsewhere: name → where it lies instead of beside the recipe.
    """

    folder: Path
    recipe: ModelRecipe
    elsewhere: Mapping[str, Path]

    def read(self, package: str | None, name: str, sha256: str | None = None) -> bytes:
        if package is not None:
            return read_member(fetch(self.recipe.packages[package]), name, sha256)
        path = self.elsewhere.get(name, (self.folder / name).resolve())
        if name not in self.elsewhere and not path.is_relative_to(self.folder.resolve()):
            raise UsageError(f"{name}: lies outside the recipe's folder")
        try:
            data = path.read_bytes()
        except OSError as error:
            remedy = f"give it with --weights {name}" if name in _unpackaged(self.recipe) else ""
            raise DataError(f"{path}: cannot be read: {error.strerror}", remedy) from error
        if sha256 is not None and (got := hashlib.sha256(data).hexdigest()) != sha256:
            raise ModelError(f"{name}: expected SHA-256 {sha256}, got {got}")
        return data


def _unpackaged(recipe: ModelRecipe) -> list[str]:
    """Model files that no package has."""
    return sorted({m.file for m in recipe.models.values() if m.file is not None and m.package is None})


def _elsewhere(recipe: ModelRecipe, weights: Path | None, name: str) -> dict[str, Path]:
    """Where the one model file lies that no package has."""
    files = _unpackaged(recipe)
    if weights is None:
        return {}
    if len(files) != 1:
        named = ", ".join(files) or "brings its own"
        raise UsageError(f"--weights {weights}: expected a recipe that names one file, {name}: {named}")
    return {files[0]: weights}


def _from_recipe(name: str, origin: str, folder: Path, weights: Path | None, asked: BareInput) -> Source:
    card, recipe = load_recipe(folder)
    if recipe.hub is not None:
        if isinstance(recipe.hub, str):
            files = _Files(folder, recipe, {})
            there = named_folder(recipe.hub, name, weights)
            made = builder_of(there)(there, asked)
            card = structs.replace(card, parameters=made.card.parameters)
        else:
            files = _Files(folder, recipe, _elsewhere(recipe, weights, name))
            made = packaged_source(recipe.hub, origin, files.read, asked)
        if made.task != recipe.task:
            raise UsageError(f"{name}: its recipe says task {recipe.task}, its folder is of task {made.task}")
        calibration, evaluation = _data(files, recipe.calibration), _data(files, recipe.evaluation)
        card = structs.replace(card, notices=made.card.notices or card.notices)
        if asked.size is not None:  # the recipe's card tells of the usual one
            card = structs.replace(card, input_range=made.card.input_range)
        return replace(made, name=name, card=card, calibration=calibration, evaluation=evaluation)
    asked.refuse(origin, recipe.task)
    if any(model.network for model in recipe.models.values()):
        require_torch()
    files = _Files(folder, recipe, _elsewhere(recipe, weights, name))
    return Source(
        name=name,
        origin=origin,
        task=recipe.task,
        card=card,
        graphs={
            role: _graph(files, role, model)
            for role, model in sorted(recipe.models.items())
            if not _wraps(model)
        },
        files={
            role: _wrapped(files, model) for role, model in sorted(recipe.models.items()) if _wraps(model)
        },
        assets={path: _asset(files, path, asset) for path, asset in sorted(recipe.assets.items())},
        calibration=_data(files, recipe.calibration),
        evaluation=_data(files, recipe.evaluation),
    )


def _wraps(spec: SourceModel) -> bool:
    return spec.network is None and spec.file is not None and spec.file.endswith(".tflite")


def _wrapped(files: _Files, spec: SourceModel) -> WrappedGraph:
    assert spec.file is not None
    data = files.read(spec.package, spec.file, spec.sha256)
    return wrapped_graph(read_tflite_bytes(data, spec.file), spec)


def _graph(files: _Files, role: str, spec: SourceModel) -> SourceGraph:
    data = files.read(spec.package, spec.file, spec.sha256) if spec.file else b""
    if spec.network is None:
        if not spec.file:
            raise UsageError(f"model {role}: names neither a file nor a network")
        model = _tfjs(files, spec, data) if spec.file.endswith(".json") else read_onnx(data, spec.file)
        for name, value in spec.constants.items():
            fix_input(model, name, value)
        for name, shape in spec.shapes.items():
            fix_input_shape(model, name, shape)
        return source_graph(model, spec, onnx_framework(model), hashlib.sha256(data).hexdigest())
    with tempfile.TemporaryDirectory(prefix="edgekit-weights-") as staging:
        weights = Path(staging) / "weights"
        weights.write_bytes(data)
        network = build_network(spec.network, weights if spec.file else None)
    exported = export_torch(network, spec.shape)
    digest = hashlib.sha256(data or exported.SerializeToString(deterministic=True)).hexdigest()
    return replace(source_graph(exported, spec, torch_framework(network), digest), network=network)


def _tfjs(files: _Files, spec: SourceModel, data: bytes) -> onnx.ModelProto:
    """A TensorFlow.js graph, as far as the head's outputs need it; its weights lie beside the JSON file."""
    assert spec.file is not None
    folder = PurePosixPath(spec.file).parent
    graph = read_graph_model(data, spec.file, lambda name: files.read(spec.package, str(folder / name)))
    return to_onnx(graph, head_tensors(spec.head), spec.shape)


def _asset(files: _Files, path: str, asset: Asset) -> bytes:
    if asset.kind == "coco_classes":
        return coco_labels()
    if asset.kind == "imagenet_synsets":
        return imagenet_labels(lambda name: files.read(asset.package, name))
    if asset.file is None:
        raise UsageError(f"asset {path}: names no file")
    data = files.read(asset.package, asset.file)
    return onnx_characters(data, asset.file) if asset.kind == "onnx_character" else data


def data_of(folder: Path, source: DataSource | None, recipe: ModelRecipe) -> tuple[str, ...]:
    """Data specifications of a recipe in ``folder``; what lies inside a package is unpacked into the cache first.

    Raises:
        EnvironmentLacks, DataError: a package cannot be had, or lacks a file.
        UsageError: it names neither data nor a package, or two files of one name.
    """
    return _data(_Files(folder, recipe, {}), source)


def _data(files: _Files, source: DataSource | None) -> tuple[str, ...]:
    """Data specifications; pictures inside a package are unpacked into the cache first."""
    if source is None:
        return ()
    if source.data is not None:
        return (source.data,)
    if source.package is None:
        raise UsageError("recipe: calibration or evaluation names neither data nor a package")
    _refuse_same_names(source.files)
    listed = hashlib.sha256("\n".join(source.files).encode()).hexdigest()[:16]
    folder = package_cache() / files.recipe.packages[source.package].sha256 / f"pictures-{listed}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in source.files:
        target = folder / Path(name).name
        data = files.read(source.package, name)
        if not target.is_file() or target.read_bytes() != data:
            with replacing(target) as file:
                file.write(data)
    return (f"{folder}?{source.query}" if source.query else str(folder),)


def _refuse_same_names(files: tuple[str, ...]) -> None:
    names = [Path(name).name for name in files]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"recipe: two files named {name}: one would take the other's place", "leave one out"
            )


def _from_onnx(path: Path, origin: str, bare: BareInput) -> Source:
    model = read_onnx_file(path)
    card, spec, assets = bare_recipe(path.stem, model, input_shape(model, path.name), bare)
    graph = source_graph(model, spec, onnx_framework(model), file_sha256(path))
    return Source(bundle_name(path.stem), origin, card.task, card, {"model": graph}, assets)


def _from_network(target: str, bare: BareInput) -> Source:
    network = build_network(target, None)
    size = bare.require_size()
    model = export_torch(network, (1, 3, size, size))
    card, spec, assets = bare_recipe(target, model, (1, 3, size, size), bare)
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
    graph = replace(source_graph(model, spec, torch_framework(network), digest), network=network)
    return Source(bundle_name(target.split(":")[1]), target, card.task, card, {"model": graph}, assets)
