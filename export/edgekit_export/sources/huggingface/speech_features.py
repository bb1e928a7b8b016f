"""What a folder's feature extractor does to a sound."""

from __future__ import annotations

from typing import Any

from edgekit.bundle.manifest import SoundInput
from edgekit.bundle.sound_input import LogMel, Standardize
from edgekit.errors import ModelError, UsageError
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.processor_settings import COMBINED, FILE

QUANTIZE = {"mode": "dynamic"}
"""int8 of speech models, which are transformers behind a few convolutions: codes of a range a row."""

SPELL_WINDOW_S = 30
"""Of a transcriber that spells: attention over a longer sound costs memory by its square."""


def extractor_settings(folder: HfFolder, kinds: tuple[str, ...]) -> dict[str, Any]:
    """What the folder's extractor was saved with; it may lie within the settings of the whole processor.

    Raises:
        ModelError: there is none, or it is of another class.
    """
    told = folder.read_json(FILE) if folder.has(FILE) else {}
    if not told and folder.has(COMBINED):
        told = folder.read_json(COMBINED).get("feature_extractor") or {}
    if not isinstance(told, dict) or not told:
        raise ModelError(f"{folder.origin}: expected {FILE}, found no settings of a feature extractor")
    kind = told.get("feature_extractor_type")
    if kind is not None and kind not in kinds:
        raise ModelError(f"{folder.origin}: {FILE}: a {kind}, expected {' or '.join(kinds)}")
    return told


def refuse_picture_options(folder: HfFolder, asked: BareInput) -> None:
    """Raises UsageError where something was asked for that only pictures have."""
    if asked.normalize is not None or asked.resize is not None or asked.size is not None:
        raise UsageError(
            f"{folder.origin}: --normalize, --resize and --input-size are for pictures; this model is given sounds"
        )


def whisper_input(folder: HfFolder, positions: int) -> SoundInput:
    """Log-mel windows of the encoder's length; it halves the number of frames.

    Args:
        folder: the model.
        positions: of the encoder.

    Raises:
        ModelError: settings that our features do not follow, or that do not fit the encoder.
    """
    told = extractor_settings(folder, ("WhisperFeatureExtractor",))
    rate, hop = int(told.get("sampling_rate", 16_000)), int(told.get("hop_length", 160))
    window = int(told.get("chunk_length", 30)) * rate
    if window != 2 * positions * hop:
        raise ModelError(
            f"{folder.origin}: {FILE}: windows of {window} samples, expected {2 * positions * hop} for the "
            f"encoder's {positions} positions"
        )
    _refuse(folder, told, "padding_value", 0.0)
    _refuse(folder, told, "dither", 0.0)
    _refuse(folder, told, "do_normalize", False)
    if rate != 16_000:
        raise ModelError(
            f"{folder.origin}: {FILE}: sampling_rate {rate}, expected 16000: its bands end at 8000 Hz"
        )
    features = LogMel(mels=int(told.get("feature_size", 80)), window=int(told.get("n_fft", 400)), hop=hop)
    return SoundInput(tensor="input_features", rate_hz=rate, features=features, window_samples=window)


def spell_input(folder: HfFolder, least: int) -> SoundInput:
    """Samples, standardised where the extractor does so.

    Args:
        folder: the model.
        least: samples that its convolutions need.

    Raises:
        ModelError: settings that our features do not follow.
    """
    told = extractor_settings(folder, ("Wav2Vec2FeatureExtractor",))
    rate = int(told.get("sampling_rate", 16_000))
    _refuse(folder, told, "feature_size", 1)
    return SoundInput(
        tensor="input_values",
        rate_hz=rate,
        features=Standardize() if told.get("do_normalize", True) else None,
        window_samples=SPELL_WINDOW_S * rate,
        pad="least",
        min_samples=least,
    )


def _refuse(folder: HfFolder, told: dict[str, Any], key: str, usual: float) -> None:
    if told.get(key, usual) != usual:
        raise ModelError(f"{folder.origin}: {FILE}: {key} {told[key]!r}, expected {usual!r}")
