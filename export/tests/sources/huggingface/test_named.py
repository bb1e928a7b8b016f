"""Models of the catalogue that are on the hub, with a local folder in place of it."""

import pytest
from msgspec.structs import replace

pytest.importorskip("transformers", reason="edgekit-export[transformers] is not installed")
pytest.importorskip("tokenizers", reason="edgekit[text] is not installed")

from edgekit.catalog.cards import load_card
from edgekit.errors import ModelError, UsageError
from edgekit_export.conformance.text_families import FAMILIES
from edgekit_export.sources.gguf.reader import open_gguf
from edgekit_export.sources.huggingface import named
from edgekit_export.sources.resolve import resolve
from edgekit_export.sources.text_source import text_source
from export.tests.sources.text_checkpoints import tiny_gemma3, tiny_llama, write_folder, write_gguf


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    FAMILIES["BERT"](folder)
    return folder


def test_a_name_is_its_hub_folder_with_the_card_of_the_catalogue(bert, monkeypatch):
    asked = []
    monkeypatch.setattr(named, "fetch_hub", lambda *a: asked.append(a) or (bert, "ProsusAI/finbert@c0ffee"))
    assert text_source("finbert") is None
    source = resolve("finbert")
    assert asked == [("ProsusAI/finbert", None)]
    assert (source.name, source.task) == ("finbert", "classify")
    assert replace(source.card, parameters=0) == replace(load_card("finbert"), parameters=0)
    assert source.card.parameters == resolve(str(bert)).card.parameters  # counted, not copied


def test_a_revision_is_asked_for(bert, monkeypatch):
    asked = []
    monkeypatch.setattr(named, "fetch_hub", lambda *a: asked.append(a) or (bert, "x"))
    named.named_folder("microsoft/table-transformer-detection@no_timm", "table-transformer-detection")
    assert asked == [("microsoft/table-transformer-detection", "no_timm")]


def test_a_folder_stands_in_for_the_hub(bert):
    assert resolve("finbert", None, bert).card.badge == "financial English only"


def test_a_folder_of_another_task_or_none_is_refused(bert, tmp_path):
    with pytest.raises(UsageError, match="task detect, its folder is of task classify"):
        resolve("table-transformer-detection", None, bert)
    with pytest.raises(
        UsageError, match="expected a folder with config.json, as the hub has ProsusAI/finbert"
    ):
        resolve("finbert", None, tmp_path)


def text_folder(make, root):
    folder = write_folder(make(), root / "model")
    words = open_gguf(write_gguf(make(), root / "model.gguf")).words
    (folder / "tokenizer.json").write_bytes(words.tokenizer)
    return folder


def test_text_models_too(tmp_path):
    folder = text_folder(tiny_llama, tmp_path)
    found = text_source("tinyllama-1.1b", weights=folder).model
    assert found.name == "tinyllama-1.1b"
    assert replace(found.card, parameters=0) == replace(load_card("tinyllama-1.1b"), parameters=0)
    assert found.card.parameters == text_source(str(folder)).model.card.parameters
    with pytest.raises(ModelError, match="holds one of text alone, expected task vision_language"):
        text_source("smolvlm-256m", weights=folder)
    with pytest.raises(UsageError, match="brings its own"):
        text_source(str(folder), weights=folder)


def test_gemmas_terms_travel_also_where_the_folder_does_not_say_them(tmp_path):
    found = text_source("gemma3-1b", weights=text_folder(tiny_gemma3, tmp_path)).model
    assert list(found.notices) == ["assets/NOTICE"] == list(found.card.notices)
