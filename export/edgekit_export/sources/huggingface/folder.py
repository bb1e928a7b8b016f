"""A folder as ``save_pretrained`` writes it: what it says of itself, read with care and without transformers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import DataError, ModelError
from edgekit_export.sources.packages import file_sha256

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
EXPORTED = ("model.onnx", "onnx/model.onnx")
MAX_JSON_BYTES = 64 << 20
"""A tokenizer of 250,000 words takes 17 MB."""

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")


@dataclass(frozen=True, slots=True)
class HfFolder:
    """A Hugging Face folder on this disk.

    Attributes:
        path: of the folder.
        origin: what was asked for, as the lock names it: the path, or ``owner/name@commit``.
        config: ``config.json``.
        architectures: names of transformers classes, the first of which the weights are of.
    """

    path: Path
    origin: str
    config: Mapping[str, Any]
    architectures: tuple[str, ...]

    @property
    def title(self) -> str:
        """What people call it: the folder's or the repository's name."""
        return self.origin.rstrip("/").rpartition("/")[2].partition("@")[0] or self.path.resolve().name

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self.path / name).is_file()

    def read_json(self, name: str) -> dict[str, Any]:
        """One of its JSON objects.

        Raises:
            ModelError: it is missing, cannot be read, or is no JSON object.
        """
        return read_json(self.path / name)

    def weights(self) -> tuple[Path, ...]:
        """Its safetensors files, the shards in the order of their names.

        Raises:
            ModelError: there are none (pickled ones are refused), or a shard is missing.
        """
        if self.has(WEIGHTS):
            return (self.path / WEIGHTS,)
        if self.has(INDEX):
            return self._shards()
        pickled = sorted(p.name for pattern in _PICKLED for p in self.path.glob(pattern))
        if pickled:
            raise ModelError(
                f"{self.origin}: weights are in {pickled[0]}, and edgekit loads safetensors only: "
                "loading such a file runs code that lies in it",
                "where you trust it, save it again by model.save_pretrained(FOLDER) of transformers",
            )
        raise ModelError(
            f"{self.origin}: expected {WEIGHTS}, found no weights",
            "fetch it into the folder, beside config.json",
        )

    def exported(self) -> Path | None:
        """The ONNX file of a folder without safetensors, as ``optimum-cli export onnx`` writes it."""
        if self.has(WEIGHTS) or self.has(INDEX):
            return None
        return next((self.path / name for name in EXPORTED if self.has(name)), None)

    def weights_sha256(self) -> str:
        """Of the weights: the file's own, or that of its shards' digests in hexadecimal, one after the other."""
        digests = [file_sha256(path) for path in self.weights()]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    def _shards(self) -> tuple[Path, ...]:
        listed = self.read_json(INDEX).get("weight_map")
        if not isinstance(listed, dict) or not listed or not all(isinstance(v, str) for v in listed.values()):
            raise ModelError(f"{self.origin}: {INDEX}: expected a weight_map of tensors and files")
        names = sorted(set(listed.values()))
        for name in names:
            if Path(name).name != name or not name.endswith(".safetensors"):
                raise ModelError(
                    f"{self.origin}: {INDEX}: expected names of .safetensors files, got {name!r}"
                )
            if not self.has(name):
                raise ModelError(f"{self.origin}: {name} is missing", "fetch all of its shards")
        return tuple(self.path / name for name in names)


def is_hf_folder(path: Path) -> bool:
    """Whether a folder looks like one of the hub's."""
    return (path / CONFIG).is_file()


def open_hf_folder(path: Path, origin: str) -> HfFolder:
    """Reads what a folder says of itself.

    Raises:
        ModelError: ``config.json`` is missing or damaged, or names no architecture.
    """
    config = read_json(path / CONFIG)
    names = config.get("architectures") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{origin}: {CONFIG}: architectures: expected a list of names, got {names!r}")
    if not names:
        raise ModelError(
            f"{origin}: {CONFIG} names no architecture, so what its weights are of is not known",
            'add "architectures": ["BertForSequenceClassification"] (its true class) to it',
        )
    return HfFolder(path, origin, config, tuple(names))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object in a file.

    Raises:
        ModelError: it is missing, cannot be read, is larger than any such file, or is no JSON object.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ModelError(f"{path}: larger than {MAX_JSON_BYTES} bytes, which no such file is")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of numbers of 5,000 digits it is a ValueError
        raise ModelError(f"{path}: is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path}: expected a JSON object, got {type(data).__name__}")
    return data


def labels_of(folder: HfFolder) -> tuple[str, ...]:
    """Labels of the classes in their order, from ``id2label``; ``num_labels`` alone gives ``LABEL_0`` … as
    transformers does.

    Raises:
        ModelError: ids that do not run from 0 on, or a label that is no text.
    """
    given = folder.config.get("id2label")
    if given is None:
        count = folder.config.get("num_labels", 2)
        if not isinstance(count, int) or not 1 <= count <= 1_000_000:
            raise ModelError(f"{folder.origin}: {CONFIG}: num_labels: expected a count, got {count!r}")
        return tuple(f"LABEL_{i}" for i in range(count))
    if not isinstance(given, dict) or not given:
        raise ModelError(f"{folder.origin}: {CONFIG}: id2label: expected labels by id, got {given!r}")
    try:
        named = {int(key): str(value) for key, value in given.items()}
    except ValueError as error:
        raise ModelError(f"{folder.origin}: {CONFIG}: id2label: expected whole numbers as ids") from error
    if sorted(named) != list(range(len(given))):
        raise ModelError(f"{folder.origin}: {CONFIG}: id2label: expected ids 0 to {len(given) - 1}")
    return tuple(named[i] for i in range(len(named)))


def labels_member(labels: tuple[str, ...]) -> bytes:
    """Labels as a bundle's member has them, one a line.

    Raises:
        DataError: a label cannot stand on a line of its own.
    """
    for label in labels:
        if not label or "\n" in label or any(ord(c) < 32 and c != "\t" for c in label):
            raise DataError(f"label {label!r}: expected text on one line", "mend id2label in config.json")
    return "".join(f"{label}\n" for label in labels).encode()
