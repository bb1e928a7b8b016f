"""What the lint has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx

from edgekit_export.convert.kernel_names import tensor_of

SHOWN = 4


@dataclass(frozen=True, slots=True)
class LintWarning:
    """Something that is slow or risky.

    Attributes:
        rule: which rule says so; stable.
        where: tensors that the operators in question give, the first few.
        count: how many there are.
        message: what was found.
        remedy: what to do about it.
    """

    rule: str
    where: tuple[str, ...]
    count: int
    message: str
    remedy: str

    def __str__(self) -> str:
        """In one sentence, what is concerned first."""
        more = ["..."] if self.count > len(self.where) else []
        concerned = ", ".join([*self.where, *more])
        return " ".join(filter(None, (concerned, self.message, f"({self.remedy})")))


def warning_of(rule: str, nodes: Sequence[onnx.NodeProto], message: str, remedy: str) -> LintWarning | None:
    """Of the operators of an optimised graph, or None where there are none."""
    if not nodes:
        return None
    where = tuple(tensor_of(node.name or node.output[0]) for node in nodes)
    return LintWarning(rule, where[:SHOWN], len(where), message, remedy)
