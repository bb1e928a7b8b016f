"""Runs on a device: what LiteRT makes of TFLite files, as plain numbers. Prints one JSON object.

usage: tflite.py FILE.tflite...
"""

import json
import sys
from pathlib import Path

import numpy as np

from edgekit.engines.litert import open_session
from edgekit.engines.protocol import EngineOptions

INPUTS = 3


def main(paths):
    print(
        json.dumps(
            {f"{path.stem}, {threads} threads": run(path, threads) for path in paths for threads in (1, 2)}
        )
    )


def run(path, threads):
    """Outputs for noise that spans what the input's codes can say, or pixels' 0 to 255 for floats."""
    session = open_session(path, EngineOptions(threads=threads))
    rng = np.random.Generator(np.random.PCG64(3))
    outputs = []
    for _ in range(INPUTS):
        feeds = {}
        for spec in session.inputs:
            noise = rng.integers(0, 256, [size or 1 for size in spec.shape]).astype(np.float32)
            if spec.codes:
                noise = (noise - (128 + spec.codes.zero_point)) * np.float32(spec.codes.scale)
            feeds[spec.name] = noise
        outputs += [output.reshape(-1).tolist() for output in session.run(feeds)]
    return outputs


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
