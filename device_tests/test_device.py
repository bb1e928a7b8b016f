"""The devices are what they claim to be, and edgekit starts on them."""

import json

from device_tests import cpus

HEAVY = (
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
LIST_MODULES = "import json, sys; import edgekit, edgekit.cli; print(json.dumps(sorted(sys.modules)))"
WHERE = "import edgekit; print(edgekit.__file__)"


def test_import_brings_nothing_heavy(device):
    done = device.code(LIST_MODULES)
    assert done.code == 0, done.stderr
    assert not set(HEAVY) & set(json.loads(done.stdout))


def test_the_built_wheel_is_what_runs(device, site):
    assert device.code(WHERE).stdout.strip() == str(site / "edgekit" / "__init__.py")


def test_doctor_sees_the_processor(device):
    done = device.edgekit("doctor", "--json")
    assert done.code == 0, done.stderr
    report = done.json()
    machine = report["machine"]
    expected = {cpu.name: (cpu.board, "asimddp" in cpu.features.split()) for cpu in cpus.CPUS}
    if device.name in expected:
        assert machine["architecture"] == "aarch64"
        assert (machine["model"], "asimddp" in machine["features"]) == expected[device.name]
    engines = {f["what"]: f["ok"] for f in report["findings"] if f["what"].startswith("engine ")}
    assert engines == {"engine onnxruntime": True, "engine litert": True}
