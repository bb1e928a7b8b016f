"""What ``import edgekit`` may cost: nothing of the workstation, nothing heavy."""

import json
import subprocess
import sys

import pytest

FORBIDDEN = (
    "torch",
    "transformers",
    "onnx",
    "scipy",
    "edgekit_export",
    "cv2",
    "onnxruntime",
    "matplotlib",
    "jinja2",
)


def modules_after(code: str) -> list[str]:
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_import_brings_nothing_heavy():
    assert not set(FORBIDDEN) & set(modules_after("import edgekit, edgekit.cli"))


def test_running_a_bundle_brings_nothing_of_the_workstation(tiny_bundle):
    path = tiny_bundle()
    loaded = modules_after(
        f"import edgekit, numpy\nedgekit.load({str(path)!r})(numpy.zeros((9, 9, 3), 'uint8'))"
    )
    assert not {"torch", "transformers", "onnx", "scipy", "edgekit_export"} & set(loaded)


def test_lazy_names_are_those_of_all():
    import edgekit

    assert {name for name in edgekit.__all__ if getattr(edgekit, name) is not None} == set(edgekit.__all__)
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = edgekit.nothing_of_this_name


def test_onnxruntime_starts_without_telemetry():
    code = "import edgekit.engines.onnxruntime, os\nassert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    modules_after(code)
