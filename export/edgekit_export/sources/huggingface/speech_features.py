"""What a folder's feature extractor does to a sound."""

from __future__ import annotations

from typing import Any

from edgekit.bundle.manifest import SoundInput
from edgekit.bundle.sound_input import LogMel, Standardize
from edgekit.errors import ModelError
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.processor_settings import COMBINED, FILE

QUANTIZE = {"mode": "dynamic"}
"""int8 of speech models, which are transformers behind a few convolutions: codes of a range a row."""

_LIMITS = {
    "sampling_rate": (1000, 768_000),
    "hop_length": (16, 65_536),
    "chunk_length": (1, 3600),
    "feature_size": (1, 512),
    "n_fft": (2, 65_536),
}
"""Setting → least and most that the bundle's format has."""

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
        raise ModelError(f"{folder.origin}: {FILE}: a {repr(kind)[:200]}, expected {' or '.join(kinds)}")
    return told


def whisper_input(folder: HfFolder, positions: int) -> SoundInput:
    """Log-mel windows of the encoder's length; it halves the number of frames.

    Args:
        folder: the model.
        positions: of the encoder.

    Raises:
        ModelError: settings that our features do not follow, or that do not fit the encoder.
    """
    told = extractor_settings(folder, ("WhisperFeatureExtractor",))
    rate, hop = _count(folder, told, "sampling_rate", 16_000), _count(folder, told, "hop_length", 160)
    window = _count(folder, told, "chunk_length", 30) * rate
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
    mels, length = _count(folder, told, "feature_size", 80), _count(folder, told, "n_fft", 400)
    features = LogMel(mels=mels, window=length, hop=hop)
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
    rate = _count(folder, told, "sampling_rate", 16_000)
    _refuse(folder, told, "feature_size", 1)
    return SoundInput(
        tensor="input_values",
        rate_hz=rate,
        features=Standardize() if told.get("do_normalize", True) else None,
        window_samples=SPELL_WINDOW_S * rate,
        pad="least",
        min_samples=least,
    )


def _count(folder: HfFolder, told: dict[str, Any], key: str, usual: int) -> int:
    value = told.get(key, usual)
    least, most = _LIMITS[key]
    if not isinstance(value, int) or not least <= value <= most:
        raise ModelError(f"{folder.origin}: {FILE}: {key} {repr(value)[:200]}, expected {least} to {most}")
    return value


def _refuse(folder: HfFolder, told: dict[str, Any], key: str, usual: float) -> None:
    if told.get(key, usual) != usual:
        raise ModelError(f"{folder.origin}: {FILE}: {key} {repr(told[key])[:200]}, expected {usual!r}")
