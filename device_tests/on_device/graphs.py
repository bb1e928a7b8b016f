"""Runs on a device: what the engine makes of graphs, as digests. Prints one JSON object.

usage: graphs.py FOLDER, which holds NAME.onnx and NAME.npy (inputs, one after the other)
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from edgekit.engines.protocol import EngineOptions
from edgekit.engines.registry import get_engine


def main(folder):
    engine, digests = get_engine("onnxruntime"), {}
    for path in sorted(folder.glob("*.onnx")):
        inputs = np.load(path.with_suffix(".npy"))
        for threads in (1, 2):
            session = engine.load(path, EngineOptions(threads=threads))
            name = session.inputs[0].name
            outputs = hashlib.sha256()
            for one in inputs:
                outputs.update(session.run({name: one})[0].tobytes())
            digests[f"{path.stem}, {threads} threads"] = outputs.hexdigest()
    print(json.dumps(digests))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
