"""Settings of a folder are foreign text: what cannot be followed is refused by name, none ends in a trace."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from edgekit.errors import EdgekitError, ModelError
from edgekit_export.sources.huggingface.folder import HfFolder, labels_of, open_hf_folder, read_json
from edgekit_export.sources.huggingface.picture_input import classifier_input, detector_input
from edgekit_export.sources.huggingface.processor_settings import PROCESSORS, read_settings
from edgekit_export.sources.huggingface.sentence_embedding import MODULES, _modules
from edgekit_export.sources.huggingface.speech_ctc import alphabet
from edgekit_export.sources.huggingface.speech_features import spell_input, whisper_input
from edgekit_export.sources.huggingface.speech_whisper import token_head

FILE = "preprocessor_config.json"
LONG = 10**400
STRANGE = [
    None, True, False, -1, 0, 1, 2, 0.5, 1e-300, 1e300, LONG, -LONG, float("nan"), float("inf"), "", "32", [], {},
    [1], [1, 2], [0, 0, 0], [LONG] * 3, [float("nan")] * 3, {"height": LONG, "width": 1}, {"shortest_edge": "x"},
    {"shortest_edge": 16384}, {"height": 1}, [[[]]],
]  # fmt: skip
FIELDS = [
    "size", "crop_size", "resample", "do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_pad", "pad_size",
    "rescale_factor", "image_mean", "image_std", "crop_pct", "rescale_offset", "include_top", "max_size",
]  # fmt: skip
SPEECH = ["sampling_rate", "hop_length", "chunk_length", "feature_size", "n_fft", "padding_value", "dither",
          "do_normalize", "feature_extractor_type"]  # fmt: skip

GENERATION = ["decoder_start_token_id", "no_timestamps_token_id", "lang_to_id", "task_to_id", "language",
              "is_multilingual", "forced_decoder_ids", "eos_token_id", "max_length", "suppress_tokens",
              "begin_suppress_tokens"]  # fmt: skip


def folder_of(path, settings, config=None):
    (path / FILE).write_text(json.dumps(settings))
    return HfFolder(path, "x", config or {}, ("Foo",))


@pytest.mark.parametrize("stem", PROCESSORS)
def test_pictures(tmp_path, stem):
    rng, made = np.random.default_rng(len(stem)), 0
    for _ in range(400):
        given = {FIELDS[i]: STRANGE[j] for i, j in rng.integers(0, (len(FIELDS), len(STRANGE)), (2, 2))}
        folder = folder_of(tmp_path, {"image_processor_type": f"{stem}ImageProcessor", **given})
        for ask in (classifier_input, lambda s: detector_input(s, None, "letterbox")):
            try:
                found = ask(read_settings(folder))
            except EdgekitError as error:
                assert len(str(error)) < 600, error
                continue
            made += 1
            normalize = found.input.ops[-1]
            assert np.isfinite([*normalize.mean, *normalize.std]).all()
            assert all(1 <= side <= 16384 for side in found.size_wh)
    assert made > 10


@pytest.mark.parametrize("field", SPEECH)
def test_sounds(tmp_path, field):
    for value in STRANGE:
        folder = folder_of(tmp_path, {"sampling_rate": 16_000, field: value})
        for ask in (whisper_input, spell_input):
            try:
                found = ask(folder, 1500)
            except EdgekitError as error:
                assert len(str(error)) < 600, error
                continue
            assert 1000 <= found.rate_hz <= 768_000


@pytest.mark.parametrize("field", GENERATION)
def test_how_whisper_writes(tmp_path, field):
    config = SimpleNamespace(
        decoder_start_token_id=1, eos_token_id=2, max_target_positions=448, vocab_size=100
    )
    folder, made = HfFolder(tmp_path, "x", {}, ("Foo",)), 0
    for value in [*STRANGE, [-1], {"a": -1}, {"<|en|>": 5}, "en"]:
        told = {"lang_to_id": {"<|en|>": 5}, "task_to_id": {"transcribe": 7}, field: value}
        (tmp_path / "generation_config.json").write_text(json.dumps(told))
        try:
            head = token_head(folder, config)
        except EdgekitError as error:
            assert len(str(error)) < 900, error
            continue
        made += 1
        named = (*head.prompt, *head.languages, *head.task, head.end, *head.suppress, *head.suppress_first)
        assert all(0 <= token < 100 for token in named)
    assert made > 0


@pytest.mark.parametrize("given", [{"en": {"a": 0}, "de": "x"}, {"a\x9b": 0}, {"a\n": 0}, {"a": "0"}, {}])
def test_alphabets_that_are_none(tmp_path, given):
    (tmp_path / "vocab.json").write_text(json.dumps(given))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"target_lang": "de"}))
    with pytest.raises(ModelError, match="vocab.json"):
        alphabet(HfFolder(tmp_path, "x", {}, ("Foo",)), 3, 0)


@pytest.mark.parametrize("kind", [[], {}, None, 3, "none"])
def test_a_model_type_that_is_no_name(tmp_path, kind):
    with pytest.raises(ModelError, match="names no image_processor_type"):
        read_settings(folder_of(tmp_path, {"size": 32}, {"model_type": kind}))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "1" * 5000 + "}", "\ud800", "", "[]", "nul"])
def test_what_is_no_object(tmp_path, text):
    (tmp_path / "config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelError, match=r"is no JSON|expected a JSON object"):
        read_json(tmp_path / "config.json")
    (tmp_path / MODULES).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelError, match=MODULES):
        _modules(HfFolder(tmp_path, "x", {}, ("BertModel",)))


@pytest.mark.parametrize("names", [3, "Bert", [None], [[]], {}])
def test_architectures_that_are_no_names(tmp_path, names):
    (tmp_path / "config.json").write_text(json.dumps({"architectures": names}))
    with pytest.raises(ModelError, match="architectures|names no architecture"):
        open_hf_folder(tmp_path, "x")


@pytest.mark.parametrize(
    "given", [{"1": "a"}, {"0": "a", " 0": "b"}, {"x": "a"}, {"9" * 5000: "a"}, [], {}, 3]
)
def test_labels_of_other_ids(tmp_path, given):
    with pytest.raises(ModelError, match="id2label"):
        labels_of(HfFolder(tmp_path, "x", {"id2label": given}, ("Foo",)))
