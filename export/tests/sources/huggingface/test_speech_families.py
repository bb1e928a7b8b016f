"""Speech models of transformers at a small size with random weights: parity, tokens, and the bundle as a whole."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgekit.errors import ModelError, UsageError
from edgekit.processing.greedy import greedy
from edgekit.processing.windows import windows
from edgekit.types import Sound
from edgekit_export.convert.session import session_of
from edgekit_export.data.voices import draw_voice
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface import speech_ctc, speech_whisper
from edgekit_export.sources.huggingface.folder import open_hf_folder
from edgekit_export.variants import full_precision

torch = pytest.importorskip("torch", reason="the models are torch networks")
transformers = pytest.importorskip("transformers", reason="transformers is the oracle")

from edgekit_export.conformance.speech_families import FAMILIES  # noqa: E402

SPELLERS = [name for name in FAMILIES if name.startswith("wav2vec2")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for name, make in FAMILIES.items():
        made[name] = tmp_path_factory.mktemp("family")
        make(made[name])
    return made


def opened(path):
    return open_hf_folder(path, str(path))


def worst(first, second):
    return float(np.abs(np.asarray(first) - np.asarray(second)).max())


@pytest.mark.parametrize("name", SPELLERS)
def test_wav2vec2(folders, name):
    torch.set_num_threads(1)
    source = speech_ctc.build(opened(folders[name]), BareInput())
    spec, head = source.graphs["model"].spec.input, source.graphs["model"].spec.head
    assert (source.task, source.accepts, spec.min_samples, head.blank) == ("transcribe", "sound", 400, 0)
    session = session_of(full_precision(source.graphs["model"]))
    network = transformers.Wav2Vec2ForCTC.from_pretrained(folders[name]).eval()
    processor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folders[name])
    for n in (3, 399, 401, 8001, 16_000, 31_999):
        samples = draw_voice(n, 2.0).samples[:n]
        given = next(windows(Sound(samples, 16_000), spec))
        if n < 400:
            assert given.shape == (1, 400)
            continue
        theirs = processor(samples, sampling_rate=16_000, return_tensors="pt")["input_values"]
        assert worst(given, theirs) <= 1e-4
        with torch.inference_mode():
            logits = network(theirs).logits
        found = session.run({"input_values": given})[0]
        assert found.shape == logits.shape
        assert worst(found, logits) <= 1e-3
    symbols = source.assets["assets/alphabet.txt"].decode().split("\n")
    assert symbols[:5] == [
        "",
        "",
        "",
        " ",
        "E",
    ]  # special tokens stand for nothing, the delimiter for a space


@pytest.fixture(scope="module")
def whisper(folders):
    torch.set_num_threads(1)
    source = speech_whisper.build(opened(folders["Whisper"]), BareInput())
    sessions = {role: session_of(full_precision(graph)) for role, graph in source.graphs.items()}
    network = transformers.WhisperForConditionalGeneration.from_pretrained(folders["Whisper"]).eval()
    return source, sessions, network


def decoder(whisper, features):
    """A fresh decoder behind one window, and the rows of scores that it gives."""
    source, sessions, _ = whisper
    step, rows = source.graphs["decode"].spec.input, []
    names = [output.name for output in sessions["encode"].outputs]
    memory = dict(zip(names, sessions["encode"].run({"input_features": features}), strict=True))
    past = {pair.input: np.zeros((1, 2, 0, 16), np.float32) for pair in step.carried}

    def run(ids):
        feeds = {"input_ids": np.array([ids], np.int64), **{n: memory[n] for n in step.memory}, **past}
        outputs = [output.name for output in sessions["decode"].outputs]
        found = dict(zip(outputs, sessions["decode"].run(feeds), strict=True))
        past.update({pair.input: found[pair.output] for pair in step.carried})
        rows.extend(found["logits"][0])
        return found["logits"][0, -1]

    return run, rows


def test_whisper_takes_the_tokens_that_transformers_takes(whisper, folders):
    source, _, network = whisper
    processor = transformers.WhisperFeatureExtractor.from_pretrained(folders["Whisper"])
    head, spec = source.graphs["decode"].spec.head, source.graphs["encode"].spec.input
    texts, largest = set(), 0.0
    for seed in range(6):
        sound = draw_voice(seed, 1.9)
        features = next(windows(sound, spec))
        theirs = processor(sound.samples, sampling_rate=16_000, return_tensors="pt")["input_features"]
        assert worst(features, theirs) <= 1e-4
        run, rows = decoder(whisper, features)
        ours = greedy(run, head)
        with torch.inference_mode():
            made = network.generate(theirs, do_sample=False, num_beams=1, task="transcribe")[0].tolist()
        expected = made[-len(ours) :]
        assert ours == expected
        assert len(ours) >= 50
        given = [*head.prompt, _language(rows[0], head), *head.task, *ours]
        with torch.inference_mode():
            logits = network(input_features=theirs, decoder_input_ids=torch.tensor([given])).logits[0]
        largest = max(largest, worst(np.stack(rows), logits[: len(rows)]))
        texts.add(tuple(ours))
    print(f"Whisper, 6 sounds: largest difference of logits {largest:.3g}")  # noqa: T201
    assert largest <= 1e-3
    assert len(texts) > 1
    assert min(len(set(text)) for text in texts) > 5  # not one token again and again


def _language(scores, head):
    return max(head.languages, key=lambda token: scores[token])


def test_settings_of_whisper(folders, tmp_path):
    config = transformers.WhisperConfig.from_pretrained(folders["Whisper"])
    folder = opened(folders["Whisper"])
    head = speech_whisper.token_head(folder, config)
    first = head.end  # of the special tokens
    assert head.prompt == (first + 1,)
    assert head.languages == (first + 2, first + 3, first + 4)
    assert head.task == (first + 6, first + 7)
    assert head.max_tokens == 64
    told = json.loads((folders["Whisper"] / "generation_config.json").read_text())
    other = opened(copied(folders["Whisper"], tmp_path))
    for change, prompt in (
        ({"language": "de"}, (first + 1, first + 3)),
        ({"is_multilingual": False, "lang_to_id": None}, (first + 1, first + 7)),
    ):
        (tmp_path / "generation_config.json").write_text(json.dumps(told | change))
        made = speech_whisper.token_head(other, config)
        assert (made.prompt, made.languages) == (prompt, ())
    for change, message in (
        ({"language": "fr"}, "language 'fr'"),
        ({"suppress_tokens": [999]}, "names token 999"),
    ):
        (tmp_path / "generation_config.json").write_text(json.dumps(told | change))
        with pytest.raises(ModelError, match=message):
            speech_whisper.token_head(other, config)


def copied(source, target):
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


@pytest.mark.parametrize(
    ("family", "file", "change", "message"),
    [
        (
            "Whisper",
            "preprocessor_config.json",
            {"chunk_length": 30},
            "windows of 480000 samples, expected 32000",
        ),
        ("Whisper", "preprocessor_config.json", {"dither": 0.1}, "dither 0.1, expected 0.0"),
        (
            SPELLERS[0],
            "preprocessor_config.json",
            {"feature_extractor_type": "X"},
            "a 'X', expected Wav2Vec2",
        ),
        (SPELLERS[0], "vocab.json", {"A\n": 5}, "expected one of one line"),
    ],
)
def test_folders_that_we_do_not_follow(folders, tmp_path, family, file, change, message):
    path = copied(folders[family], tmp_path) / file
    told = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in told.items() if v not in change.values()} | change))
    build = speech_whisper.build if family == "Whisper" else speech_ctc.build
    with pytest.raises(ModelError, match=message):
        build(opened(tmp_path), BareInput())


def test_options_against_the_folder(folders):
    with pytest.raises(UsageError, match="--input-size: .*leave it out"):
        speech_ctc.build(opened(folders[SPELLERS[0]]), BareInput(size=224))
