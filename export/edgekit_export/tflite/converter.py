"""Whether the TFLite converter is installed, and its warnings; asking imports nothing else of TFLite."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from edgekit.errors import EnvironmentLacks
from edgekit_export.tflite.silence import silence

REMEDY = "make export-env installs the TFLite converter: edgekit-export[tflite] with tflite-constraints.txt"
_LOGGERS = ("torch", "torch.export", "torchao", "jax", "absl", "root")


def require_converter() -> None:
    """Checks that the converter and the quantizer are there before anything long starts.

    Raises:
        EnvironmentLacks: they are not.
    """
    try:
        with silence(), no_warnings():
            import ai_edge_quantizer  # noqa: F401
            import litert_torch  # noqa: F401
    except ImportError as error:
        raise EnvironmentLacks(f"--format tflite: {error}", REMEDY) from error


@contextmanager
def no_warnings() -> Iterator[None]:
    """The converter's parts warn about each other; none of it concerns the user."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
