from edgekit import doctor


def test_missing_things_come_with_a_remedy(tmp_path):
    findings = {
        f.what: f for f in doctor.examine(tmp_path / "not" / "yet", tmp_path, has=lambda module: None)
    }
    assert findings["cameras"].ok is False
    assert findings["reports"].remedy == "pip install 'edgekit[report]'"
    assert findings["text models"].remedy == "pip install 'edgekit[text]'"
    assert findings["recordings that are no WAV"].remedy == "pip install 'edgekit[sound]'"
    assert findings["models that resize with Pillow"].remedy == "pip install 'edgekit[pillow]'"
    assert findings["TFLite from torch networks"].remedy == (
        "pip install 'edgekit-export[tflite]' -c tflite-constraints.txt, or make export-env"
    )
    assert findings["models of the hub"].remedy == "pip install 'edgekit-export[transformers]'"
    assert findings["space"].ok is True


def test_cameras_are_listed(tmp_path):
    for name in ("video1", "video0"):
        (tmp_path / name).touch()
    findings = {f.what: f for f in doctor.examine(tmp_path, tmp_path)}
    assert findings["cameras"].detail == "video0, video1"


def test_little_space_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: type("U", (), {"free": 1000})())
    assert {f.what: f.ok for f in doctor.examine(tmp_path, tmp_path)}["space"] is False


def test_absent_exporter_and_engine(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "entry_points", lambda **_: [])
    monkeypatch.setattr(doctor, "ENGINES", {"gone": "edgekit.engines.gone:Gone"})
    monkeypatch.setattr("edgekit.engines.registry.ENGINES", {"gone": "edgekit.engines.gone:Gone"})
    findings = {f.what: f for f in doctor.examine(tmp_path, tmp_path)}
    assert findings["edgekit export"].ok is False
    assert findings["engine gone"].detail == "No module named 'edgekit.engines.gone'"
    assert findings["engine gone"].remedy == "pip install gone"
