"""Arrays by the type of their numbers; shapes are said where they are used."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

U8: TypeAlias = npt.NDArray[np.uint8]
I8: TypeAlias = npt.NDArray[np.int8]
F32: TypeAlias = npt.NDArray[np.float32]
Array: TypeAlias = npt.NDArray[Any]
