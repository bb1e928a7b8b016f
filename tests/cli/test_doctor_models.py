import json

from edgekit.cli import main
from edgekit.doctor import Finding


def test_doctor(capsys):
    assert main(["doctor", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    found = {f["what"]: f for f in body["findings"]}
    assert found["engine onnxruntime"]["ok"] is True
    assert "space" in found
    assert main(["doctor"]) == 0
    assert "engine onnxruntime" in capsys.readouterr().out


def test_doctor_writes_the_brackets_of_an_extra(capsys, monkeypatch):
    missing = Finding("reports", False, "missing: jinja2", "pip install 'edgekit[report]'")
    monkeypatch.setattr("edgekit.doctor.examine", lambda cache: [missing])
    assert main(["doctor"]) == 0
    assert "pip install 'edgekit[report]'" in capsys.readouterr().out


def test_models(capsys):
    assert main(["models", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert {"efficientnet-lite0", "ppocr-v4", "ppocr-v6", "ppocr-v4-rec", "ppocr-v6-rec"} <= set(models)
    assert main(["models", "ppocr-v4"]) == 0
    assert "cannot read handwriting" in " ".join(capsys.readouterr().out.split())


def test_unknown_model(capsys):
    assert main(["models", "resnet-9000"]) == 2
    assert "efficientnet-lite0" in capsys.readouterr().err
