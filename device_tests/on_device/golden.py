"""Runs on a device: the first golden pictures of a variant, as selftest checks them. Prints one JSON object.

usage: golden.py BUNDLE VARIANT PICTURES
"""

import json
import sys
from pathlib import Path

from edgekit.bundle.reader import open_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.selftest import check
from edgekit.tasks.golden import decision
from edgekit.tasks.registry import load


class Remembered:
    """A task that keeps its last result."""

    def __init__(self, task):
        self.task, self.name = task, task.name
        self.result = None

    def __call__(self, image, trace=None):
        self.result = self.task(image, trace)
        return self.result


def main(path, variant, pictures):
    bundle, task = open_bundle(path), Remembered(load(path, variant, options=EngineOptions(threads=1)))
    report = []
    for entry in [golden for golden in bundle.manifest.golden if golden.variant == variant][:pictures]:
        problem = check(bundle, entry, task).problem
        report.append({"problem": problem, "decided": decision(task.result), "expected": entry.decision})
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
