"""Kills an export at random moments, again and again, and checks that it ends in the bytes of one left alone.

    python benchmarks/interrupted_export.py --kills 20 -- efficientnet-lite0 --recipe mixed --max-size 5MB --calib ...

What follows ``--`` is what ``edgekit export`` takes, without ``-o``. The first run is left alone, with a cache of its
own, and tells how long one takes; the second is killed (SIGKILL, so that nothing can tidy up) after a random part of
that time and started again, as often as asked for, then once more to its end. One that ends before it is killed, since
it went on from what others had done, does not count, and tells how long one takes from then on. Prints the digests of
the model files.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edgekit import open_bundle


def model_digests(path: Path) -> dict[str, str]:
    """Member → SHA-256 of each model file in a bundle."""
    files = {file.path: file.sha256 for file in open_bundle(path).manifest.files}
    return {name: digest for name, digest in sorted(files.items()) if ".onnx" in name or ".tflite" in name}


def start(folder: Path, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    """The export as a process of its own, with a cache in ``folder``."""
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "EDGEKIT_CACHE_DIR": str(folder / "cache"), "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "edgekit", "export", *arguments, "-o", str(folder / "out.edge")]
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, env=environment)


def main() -> int:
    """Runs, kills, compares."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("arguments", nargs="+")
    args = parser.parse_args()
    draw = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        begun = time.monotonic()
        if start(root / "alone", args.arguments, root / "alone.log").wait():
            print((root / "alone.log").read_text()[-2000:])
            return 2
        alone_s = time.monotonic() - begun
        print(f"left alone: {alone_s:.0f} s")
        takes_s, kills = alone_s, 0
        while kills < args.kills:
            after_s, begun = draw.uniform(0.02, 0.95) * takes_s, time.monotonic()
            process = start(root / "killed", args.arguments, root / "killed.log")
            try:
                process.wait(after_s)
                takes_s = time.monotonic() - begun
                print(f"ended by itself within {takes_s:.1f} s", flush=True)
                (root / "killed" / "out.edge").unlink()
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
                print(f"kill {kills}: after {after_s:.1f} s", flush=True)
        begun = time.monotonic()
        code = start(root / "killed", args.arguments, root / "killed.log").wait()
        print(f"resumed to its end: {time.monotonic() - begun:.0f} s, exit code {code}")
        one, other = (model_digests(root / which / "out.edge") for which in ("alone", "killed"))
    for member, digest in one.items():
        print(f"{member}: {digest[:16]} alone, {other.get(member, 'none')[:16]} killed {kills} times")
    print("equal" if one == other else "NOT equal")
    return int(one != other)


if __name__ == "__main__":
    sys.exit(main())
