import json

from msgspec.structs import replace

from edgekit.cli import main


def test_all_variants_hold(tiny_bundle, capsys):
    assert main(["selftest", str(tiny_bundle()), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["ok"] is True
    assert [(v["name"], v["ok"], v["exact"]) for v in body["variants"]] == [
        ("int8", True, True),
        ("fp16", True, True),
    ]
    assert body["variants"][0]["golden"][0]["max_abs"] == 0


def test_a_wrong_decision_fails_with_exit_code_1(tiny_bundle, capsys):
    def lie(manifest, members):
        return replace(manifest, golden=tuple(replace(g, decision="2") for g in manifest.golden))

    assert main(["selftest", str(tiny_bundle(change=lie))]) == 1
    assert "expected decision '2', got '1'" in " ".join(capsys.readouterr().out.split())


def test_one_variant(tiny_bundle, capsys):
    assert main(["selftest", str(tiny_bundle()), "--variant", "fp16", "--threads", "1", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert [(v["name"], v["threads"]) for v in body["variants"]] == [("fp16", 1)]
