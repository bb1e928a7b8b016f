"""Kernel lint: where a graph is slow or risky on the processor it is for."""

from edgekit_export.lint.lint import lint
from edgekit_export.lint.variant import lint_variant
from edgekit_export.lint.warning import LintWarning

__all__ = ["LintWarning", "lint", "lint_variant"]
