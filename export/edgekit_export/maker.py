"""Bundles of any choice of candidates: their manifest, their members, their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from edgekit.bundle.manifest import FORMAT, VERSION, Lock, Manifest
from edgekit.bundle.writer import bundle_bytes
from edgekit.machine import Machine
from edgekit_export.candidate import Candidate
from edgekit_export.sources.source import Source
from edgekit_export.staging import Staging


def _of_those(lock: Lock, chosen: Sequence[Candidate]) -> Lock:
    """With the recipes of the variants that ship, and no others."""
    names = {candidate.variant.name for candidate in chosen}
    return replace(lock, recipes={name: roles for name, roles in lock.recipes.items() if name in names})


@dataclass(frozen=True, slots=True)
class Maker:
    """Writes bundles of any choice of variants."""

    source: Source
    lock: Lock
    staging: Staging
    machine: Machine

    def contents(self, chosen: Sequence[Candidate]) -> tuple[Manifest, dict[str, bytes | Path]]:
        """Manifest and members of a bundle of these variants."""
        members: dict[str, bytes | Path] = dict(self.staging.members(tuple(c.variant for c in chosen)))
        for candidate in chosen:
            members.update(candidate.members)
        judged = [(c, c.evaluation) for c in chosen if c.evaluation is not None]
        manifest = Manifest(
            format=FORMAT,
            version=VERSION,
            name=self.source.name,
            task=self.source.task,
            files=(),
            variants=tuple(c.entry() for c in chosen),
            card=self.source.card,
            lock=_of_those(self.lock, chosen),
            golden=tuple(golden for c in chosen for golden in c.golden),
            evidence=tuple(e.as_evidence(c.variant.name, c.engine, self.machine) for c, e in judged),
        )
        return manifest, members

    def size(self, chosen: Sequence[Candidate]) -> int:
        """Exact bytes of a bundle of these variants."""
        return bundle_bytes(*self.contents(chosen))

    def fitting(
        self, holding: Sequence[Candidate], frontier: Mapping[str, int], max_size_bytes: int | None
    ) -> list[Candidate]:
        """The longest beginning of ``holding`` that fits, else the first single variant that does, else none."""
        if max_size_bytes is None:
            return list(holding)
        for n in range(len(holding), 0, -1):
            if self.size(holding[:n]) <= max_size_bytes:
                return list(holding[:n])
        return [c for c in holding if frontier[c.variant.name] <= max_size_bytes][:1]
