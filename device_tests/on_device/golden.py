"""Runs on a device: the first golden pictures of a variant, as selftest checks them. Prints one JSON object.

usage: golden.py BUNDLE VARIANT PICTURES
"""

import json
import sys
from pathlib import Path

from edgekit.bundle.reader import open_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.selftest import check
from edgekit.tasks.registry import load


def main(path, variant, pictures):
    bundle, task = open_bundle(path), load(path, variant, options=EngineOptions(threads=1))
    golden = [entry for entry in bundle.manifest.golden if entry.variant == variant][:pictures]
    print(json.dumps({"golden": [check(bundle, entry, task).as_json() for entry in golden]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
