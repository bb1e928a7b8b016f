"""Whether the TFLite converter is installed, and its warnings; asking imports nothing else of TFLite."""

from __future__ import annotations

from edgekit.errors import EnvironmentLacks
from edgekit_export.silence import no_warnings, silence

REMEDY = "make export-env installs the TFLite converter: edgekit-export[tflite] with tflite-constraints.txt"
LOGGERS = ("torch", "torch.export", "torchao", "jax", "absl", "root")


def require_converter() -> None:
    """Checks that the converter and the quantizer are there before anything long starts.

    Raises:
        EnvironmentLacks: they are not.
    """
    try:
        with silence(), no_warnings(*LOGGERS):
            import ai_edge_quantizer  # noqa: F401
            import litert_torch  # noqa: F401
    except ImportError as error:
        raise EnvironmentLacks(f"--format tflite: {error}", REMEDY) from error
