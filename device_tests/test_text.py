"""Text models on the boards: the same tokens, and int8 that decides as it did where it was exported."""

import pytest

from device_tests import bundles
from edgekit_export.conformance.text_families import FAMILIES
from export.tests.sources.text_checkpoints import tiny_gemma3, tiny_llama, write_gguf

TEXT = "I am very happy with this kettle; it boils in a minute! 100 °C ✅"


@pytest.fixture(scope="session", params=["RoBERTa", "Sentence-BERT"])
def text_bundle(request, tmp_path_factory):
    """A small transformer with random weights, of int8 and full precision."""
    folder = tmp_path_factory.mktemp("text")
    model = folder / "model"
    model.mkdir()
    FAMILIES[request.param](model)
    return bundles.export_folder(model, folder / "model.edge")


@pytest.mark.device
def test_selftest_holds(device, text_bundle):
    done = device.edgekit("selftest", text_bundle, "--json")
    assert done.code == 0, done.stderr
    assert [variant["ok"] for variant in done.json()["variants"]] == [True, True]


@pytest.mark.device
def test_a_text_gets_the_hosts_result(device, host, text_bundle):
    command = "run", text_bundle, "--text", TEXT, "--variant", "fp32", "--json"
    first, other = host.edgekit(*command), device.edgekit(*command)
    assert (first.code, other.code) == (0, 0), other.stderr
    ours, theirs = first.json()["result"], other.json()["result"]
    if "vector" in ours:
        assert theirs["vector"] == pytest.approx(ours["vector"], abs=1e-4)
    else:
        assert [top["label"] for top in theirs["top"]] == [top["label"] for top in ours["top"]]
        assert [top["score"] for top in theirs["top"]] == pytest.approx(
            [top["score"] for top in ours["top"]], abs=1e-4
        )


@pytest.fixture(
    scope="session", params=[(tiny_llama, "Q4_1"), (tiny_gemma3, "Q5_0")], ids=["llama Q4_1", "gemma3 Q5_0"]
)
def language_bundle(request, tmp_path_factory):
    """A tiny language model with random weights, in codes."""
    make, kind = request.param
    folder = tmp_path_factory.mktemp("language")
    return bundles.export_checkpoint(write_gguf(make(), folder / "m.gguf", kind), folder / "model.edge")


@pytest.mark.device
def test_a_language_model_gives_its_golden_tokens(device, language_bundle):
    done = device.edgekit("selftest", language_bundle, "--json")
    assert done.code == 0, done.stdout + done.stderr
    assert [len(variant["golden"]) for variant in done.json()["variants"]] == [3]
