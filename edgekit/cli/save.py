"""``edgekit run --save DIR``: what was found, drawn on a copy of each picture; other results as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.bundle.atomic import replacing
from edgekit.cli.inputs import STDIN, Given
from edgekit.errors import OutputError
from edgekit.report.files import make_folder
from edgekit.unicode import encodable

if TYPE_CHECKING:
    from edgekit.types import Frame, Kind, Result

_PLAIN = re.compile(r"[^\w.-]+")


class Saver:
    """Writes one file an input, of its name; inputs of the same name are numbered.

    Args:
        folder: where they go; it is made if it is not there. What lies there of an earlier run is replaced.
        inputs: files and folders of the command line, none of which may be replaced.
        kind: what the inputs are; of pictures copies are drawn on.

    Raises:
        OutputError: inputs lie in the folder, or it cannot be written to.
    """

    def __init__(self, folder: Path, inputs: Sequence[Path], kind: Kind) -> None:
        for path in inputs:
            if path != STDIN and (path if path.is_dir() else path.parent).resolve() == folder.resolve():
                raise OutputError(
                    f"--save {folder}: {path} lies there and would be replaced", "name another folder"
                )
        make_folder(folder)
        self._draws = kind == "picture"
        self._folder = folder
        self._taken: set[str] = set()

    def save(self, given: Given, result: Result, printed: dict[str, Any]) -> Path:
        """Writes what came of an input.

        Args:
            given: the input.
            result: what was found in it.
            printed: what ``--json`` prints.

        Returns:
            The file.

        Raises:
            OutputError: it cannot be written.
        """
        from edgekit.processing.images import to_frame
        from edgekit.processing.picture_files import is_picture
        from edgekit.types import Frame

        name = "stdin" if given.name == str(STDIN) else _PLAIN.sub("-", Path(given.name).name)
        if self._draws and isinstance(given.content, Frame | Path):
            path = self._free(name if is_picture(Path(name)) else f"{name}.png")
            content = _drawn(to_frame(given.content), result, path)
        else:
            path = self._free(f"{name}.json")
            content = (json.dumps(encodable(printed), ensure_ascii=False, indent=2) + "\n").encode()
        with replacing(path) as file:
            file.write(content)
        return path

    def _free(self, name: str) -> Path:
        path, number = Path(name), 1
        while name in self._taken:
            number += 1
            name = f"{path.stem}-{number}{path.suffix}"
        self._taken.add(name)
        return self._folder / name


def _drawn(frame: Frame, result: Result, path: Path) -> bytes:
    """The picture with the result on it, in the format of a file of that name."""
    import cv2

    from edgekit.annotate import annotate

    drawn = annotate(frame, result)
    is_encoded, encoded = cv2.imencode(path.suffix.lower(), drawn)
    if not is_encoded:
        height, width = drawn.shape[:2]
        raise OutputError(
            f"{path}: {width}×{height} pixels, more than OpenCV writes as {path.suffix}",
            "give it as a PNG picture, or leave out --save",
        )
    return encoded.tobytes()
