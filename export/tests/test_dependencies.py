import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import edgekit_export

CODE = Path(edgekit_export.__file__).parent
OF = {"PIL": "pillow", "google": "onnx", "cv2": "edgekit", "msgspec": "edgekit"}
"""Module → the dependency that brings it, where it is not of the same name."""
OPTIONAL = {"torch", "ai_edge_litert"}
"""Their files are imported where what they need has been asked for."""


def modules():
    """What a file imports as soon as it is imported itself."""
    for path in CODE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                yield from (name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module


def test_what_files_import_at_once_is_declared():
    project = tomllib.loads((CODE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    tops = {module.partition(".")[0] for module in modules()}
    others = tops - set(sys.stdlib_module_names) - {"edgekit_export"} - OPTIONAL
    assert {"onnx", "flatbuffers"} < others
    assert {OF.get(name, name) for name in others} <= declared


WITHOUT = """
import sys
for name in ("torch", "transformers", "ai_edge_litert", "tflite_runtime", "gguf", "safetensors"):
    sys.modules[name] = None
import edgekit_export.cli, edgekit_export.language.export, edgekit_export.pipeline
import edgekit_export.sources.resolve, edgekit_export.sources.text_source
"""


def test_an_export_begins_without_any_extra():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
