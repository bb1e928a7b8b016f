"""Whether an export by a lock gave the same model files, and what may be to blame where it did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.bundle.check import model_paths
from edgekit.bundle.manifest import File, Manifest

_SHOWN = 16
_NO_CAUSE = (
    "tools, CPU features, inputs and heads are those of the lock: the lock or the files were changed, or edgekit was "
    "within its version"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A model file that is not the same.

    Attributes:
        member: its path.
        locked: size and digest that the lock's bundle has; ``None`` where it has no such file.
        made: those that came out; ``None`` where no such file did.
    """

    member: str
    locked: File | None
    made: File | None

    def as_json(self) -> dict[str, Any]:
        """Both sides by their digests and bytes."""
        return {"member": self.member, "locked": _file_json(self.locked), "made": _file_json(self.made)}

    def __str__(self) -> str:
        return f"{self.member}: got {_file_text(self.made)}, expected {_file_text(self.locked)}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of another version than the lock's; ``None`` where it is in one of them only."""

    name: str
    locked: str | None
    here: str | None

    def as_json(self) -> dict[str, str | None]:
        """All fields."""
        return {"name": self.name, "locked": self.locked, "here": self.here}

    def __str__(self) -> str:
        return f"{self.name} {self.here or 'missing'} (the lock: {self.locked or 'none'})"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of an export by a lock.

    Attributes:
        members: how many model files were compared.
        differs: those that are not the same, by path; ``None`` where nothing was written to compare.
        tools: that have other versions.
        causes: what may be to blame, in words; empty where nothing differs.
    """

    members: int
    differs: tuple[Difference, ...] | None
    tools: tuple[Tool, ...]
    causes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every model file is the same, byte for byte."""
        return self.differs == ()

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit export --locked --json`` prints it; ``reproduced`` is null where nothing was written."""
        return {
            "reproduced": None if self.differs is None else self.holds,
            "differs": [one.as_json() for one in self.differs or ()],
            "tools": [one.as_json() for one in self.tools],
            "causes": list(self.causes),
        }

    def __str__(self) -> str:
        if self.differs is None:
            return "not compared: nothing was written"
        files = f"{self.members} model file{'' if self.members == 1 else 's'}"
        if not self.differs:
            return f"reproduced: {files}, byte for byte"
        head = f"not reproduced: {len(self.differs)} of {files} differ"
        return "\n".join(
            [head, *map(str, self.differs), *(f"likely cause: {cause}" for cause in self.causes)]
        )


def reproduction(locked: Manifest, made: Manifest | None, tools: Iterable[Tool]) -> Reproduction:
    """Compares the model files of two bundles.

    Args:
        locked: of the bundle that should be made again.
        made: of what was made; ``None`` if a gate refused it.
        tools: of other versions than the lock's.
    """
    other = tuple(tools)
    if made is None:
        return Reproduction(0, None, other, ())
    differs, count = _differences(locked, made)
    causes = _causes(locked, made, other) if differs else ()
    return Reproduction(count, differs, other, causes)


def other_tools(locked: Mapping[str, str], here: Mapping[str, str]) -> tuple[Tool, ...]:
    """Tools whose versions differ, by name."""
    names = sorted({*locked, *here})
    return tuple(
        Tool(name, locked.get(name), here.get(name)) for name in names if locked.get(name) != here.get(name)
    )


def _differences(locked: Manifest, made: Manifest) -> tuple[tuple[Difference, ...], int]:
    before, after = _model_files(locked), _model_files(made)
    paths = sorted({*before, *after})
    pairs = ((path, before.get(path), after.get(path)) for path in paths)
    return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2]), len(paths)


def _model_files(manifest: Manifest) -> dict[str, File]:
    paths = model_paths(manifest)
    return {file.path: file for file in manifest.files if file.path in paths}


def _causes(locked: Manifest, made: Manifest, tools: tuple[Tool, ...]) -> tuple[str, ...]:
    found = []
    if tools:
        found.append(", ".join(map(str, tools)))
    here, there = made.lock.cpu_features, locked.lock.cpu_features
    if here != there:
        found.append(f"CPU features {' '.join(here) or 'none'} (the lock: {' '.join(there) or 'none'})")
    roles = sorted(_roles(locked) ^ _roles(made))
    if roles:
        found.append(f"input or head of {', '.join(dict(roles))} is described otherwise")
    return tuple(found) or (_NO_CAUSE,)


def _roles(manifest: Manifest) -> set[tuple[str, str]]:
    """Role and how its graph takes its input and is read, in every variant."""
    graphs = ((role, model) for variant in manifest.variants for role, model in variant.models.items())
    return {(role, f"{model.input} {model.head}") for role, model in graphs}


def _file_json(file: File | None) -> dict[str, Any] | None:
    return None if file is None else {"sha256": file.sha256, "bytes": file.size}


def _file_text(file: File | None) -> str:
    return "no such file" if file is None else f"{file.size:,} bytes, SHA-256 {file.sha256[:_SHOWN]}…"
