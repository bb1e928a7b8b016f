"""What `make demo` runs: PP-OCR from package to bundle to camera to report, with the commands a person would type.

python examples/demo.py FOLDER
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from edgekit.cli import main
from edgekit_export.data.clip import render_clip

CLIP_SECONDS, CLIP_FPS, CLIP_SIZE_WH = 12.0, 10.0, (640, 480)


def edgekit(*argv: str | Path) -> None:
    """Runs one command as the shell would, and stops the demo where it fails."""
    words = [str(word) for word in argv]
    print(f"\n$ edgekit {shlex.join(words)}", flush=True)
    code = main(words)
    if code:
        sys.exit(code)


def demo(folder: Path) -> None:
    """Exports, inspects, tests, renders a clip, runs the camera loop over it."""
    bundle, clip, annotated = folder / "ocr.edge", folder / "signs.mp4", folder / "signs.annotated.mp4"
    edgekit(
        "export",
        "ppocr-v4",
        "-o",
        bundle,
        "--recipe",
        "int8",
        "--max-size",
        "6MB",
        "--max-drop",
        "3%",
        "--report",
        folder,
    )
    edgekit("inspect", bundle)
    edgekit("selftest", bundle)
    print(f"\nRendering {clip}: {CLIP_SECONDS:.0f} s of moving signs", flush=True)
    render_clip(clip, CLIP_SECONDS, CLIP_FPS, CLIP_SIZE_WH, seed=7)
    edgekit("camera", bundle, "--source", clip, "--sink", annotated)
    print(f"\nLook at {folder / 'report.html'} and {annotated}")


if __name__ == "__main__":
    demo(Path(sys.argv[1]))
