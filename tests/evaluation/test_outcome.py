from edgekit.bundle.manifest import Drop
from edgekit.evaluation.outcome import Data, Evaluation, Flips
from edgekit.machine import Machine


def evaluation(**changes):
    fields = {
        "task": "classify", "metric": "top1", "meaning": "m", "n": 100, "clusters": 50, "unit": "source",
        "reference": 88.0, "candidate": 87.0, "drop": 1.0, "interval": (-1.0, 3.0), "flips": Flips(3, 2, 1),
        "agreement": 97.0, "agreement_interval": (91.0, 99.0), "mcnemar_p": None, "sqnr_db": 21.5, "sqnr_n": 100,
        "identical": False, "verdict": "INCONCLUSIVE", "reason": "r", "max_drop": 2.0, "needed_n": 900, "least_n": 149,
        "data": Data(("photos?crops=2", "clip.mp4"), "ab" * 32, "label"), "worst": (),
    }  # fmt: skip
    return Evaluation(**{**fields, **changes})


def test_holds():
    assert [evaluation(verdict=v).holds for v in ("PASS", "NONE", "FAIL", "INCONCLUSIVE")] == [
        True,
        True,
        False,
        False,
    ]


def test_as_the_manifest_states_it():
    machine = Machine("Pi 5", "aarch64", 4, ("asimd",), "3.11", {})
    found = evaluation().as_evidence("int8", "onnxruntime 1.31.1", machine)
    assert found.drop == Drop("top1", 1.0, (-1.0, 3.0), 0.95, 100, "source")
    assert (found.variant, found.data, found.data_sha256) == ("int8", "photos?crops=2 clip.mp4", "ab" * 32)
    assert (found.verdict, found.gate, found.agreement, found.sqnr_db) == ("INCONCLUSIVE", 2.0, 97.0, 21.5)
    assert (found.runtime, found.machine, found.cpu_features) == (
        "onnxruntime 1.31.1",
        "Pi 5 (aarch64, 4 cores)",
        ("asimd",),
    )
