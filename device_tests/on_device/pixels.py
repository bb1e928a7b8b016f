"""Runs on a device: what pre-processing and decoding give, as digests. Prints one JSON object.

usage: pixels.py PICTURE...
"""

import hashlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np

from edgekit.bundle import manifest as m
from edgekit.processing.preprocess import prepare
from edgekit.processing.quads import cut
from edgekit.types import Frame

SIZES_WH = ((320, 240), (641, 479), (97, 301), (48, 48))
CHAINS = {
    "shorter+crop": (m.ResizeShorter(64), m.CenterCrop(56, 56)),
    "stretch": (m.ResizeStretch(224, 224),),
    "multiple": (m.ResizeMultiple(64, 512, 32),),
    "height": (m.ResizeHeight(48, 64, 640, 16, 127),),
    "normalize": (m.ResizeStretch(40, 40), m.Normalize((123.7, 116.3, 103.5), (58.4, 57.1, 57.4))),
}
QUADS = {
    "upright": ((10, 8), (42, 8), (42, 30), (10, 30)),
    "turned": ((9, 12), (40, 5), (44, 27), (13, 34)),
}


def main(pictures):
    digests = {}
    for width, height in SIZES_WH:
        pixels = noise(width, height)
        for name, ops in CHAINS.items():
            dtype = "float32" if name == "normalize" else "uint8"
            spec = m.ImageInput(tensor="x", ops=ops, color="bgr", dtype=dtype, layout="nchw")
            digests[f"{name} of {width}x{height}"] = digest(prepare(Frame(pixels), spec).tensor)
    for name, quad in QUADS.items():
        digests[f"cut {name}"] = digest(cut(noise(48, 40), np.asarray(quad, np.float32)))
    for path in map(Path, pictures):
        digests[f"decode {path.name}"] = digest(cv2.imread(str(path), cv2.IMREAD_COLOR))
    print(json.dumps(digests))


def noise(width, height):
    """Smooth areas with grain; the generator gives the same numbers on every processor."""
    rng = np.random.Generator(np.random.PCG64(width))
    areas = rng.integers(0, 224, (1 + height // 20, 1 + width // 20, 3), dtype=np.uint8)
    smooth = cv2.resize(areas, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    return smooth + rng.integers(0, 32, smooth.shape, dtype=np.uint8)


def digest(array):
    header = f"{array.dtype} {array.shape} ".encode()
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
