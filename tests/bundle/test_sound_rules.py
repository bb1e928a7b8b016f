"""What ties the parts of a sound's model together, and what a golden sound has to look like."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.check import check_manifest, member_uses
from edgekit.bundle.contents import MAX_SOUND_BYTES, check_contents
from edgekit.bundle.manifest import ActivityHead, Carried, SoundInput, StepInput, TokenHead
from edgekit.bundle.ranges import BytesRange
from edgekit.bundle.reader import open_bundle
from edgekit.bundle.sound_input import LogMel
from edgekit.errors import BundleError
from edgekit.processing.wav import write_wav
from edgekit.types import Sound
from tests.bundle.samples import members

INPUT = SoundInput(tensor="x", rate_hz=16_000, window_samples=512)
HEAD = ActivityHead(tensor="y")
PAIR = Carried(input="s", output="t")


def checked(sample, given, head):
    whole = open_bundle(sample).manifest
    models = {"model": replace(whole.variants[0].models["model"], input=given, head=head)}
    variant = replace(whole.variants[0], models=models)
    files = tuple(f for f in whole.files if "labels" not in f.path)
    golden = tuple(g for g in whole.golden if g.variant == variant.name)
    return replace(whole, variants=(variant,), files=files, golden=golden, evidence=())


@pytest.mark.parametrize(
    ("given", "head", "reason"),
    [
        (replace(INPUT, min_samples=513), HEAD, "min_samples is 513, expected at most the window's 512"),
        (replace(INPUT, window_samples=200, features=LogMel(mels=80)), HEAD, "200 samples, expected at least 201"),
        (replace(INPUT, pad="least", features=LogMel(mels=80)), HEAD, "may have 1 samples"),
        (replace(INPUT, window_samples=None, features=LogMel(mels=80)), HEAD, "may have 1 samples"),
        (replace(INPUT, carried=(PAIR, PAIR)), HEAD, "carried is .*expected each once"),
        (StepInput(ids="i", carried=(PAIR, replace(PAIR, output="u"))), HEAD, "expected each once"),
        (INPUT, replace(HEAD, end_threshold=0.6), "0.6 and 0.5, expected the lower one first"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit(sample, given, head, reason):
    with pytest.raises(BundleError, match=reason):
        check_manifest(checked(sample, given, head))


def test_a_decoders_tokenizer_is_a_member(sample):
    head = TokenHead(tensor="y", tokenizer="assets/tokenizer.json", prompt=(1,), end=2, max_tokens=4)
    assert member_uses(checked(sample, StepInput(ids="i"), head))["assets/tokenizer.json"] == "tokenizer"


WAV = write_wav(Sound(np.zeros(4, np.float32), 8000))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (WAV, None),
        (b"", "0 bytes that start with b''"),
        (b"fLaC" + WAV[4:], "start with b'fLaC'"),
        (WAV[:43], "43 bytes"),
        (WAV[:22] + struct.pack("<H", 2) + WAV[24:], "2 channels of 16 bits, expected 1, 1 and 16"),
        (WAV[:34] + struct.pack("<H", 8) + WAV[36:], "of 8 bits"),
        (WAV + bytes(MAX_SOUND_BYTES), "expected a WAV file of up to"),
    ],
)
def test_golden_sounds(sample, data, reason):
    whole = open_bundle(sample).manifest
    content = members()
    old = whole.golden[0].input
    golden = tuple(replace(g, input="golden/0.wav") if g.input == old else g for g in whole.golden)
    files = tuple(replace(f, path="golden/0.wav") if f.path == old else f for f in whole.files)
    content["golden/0.wav"] = data

    def check():
        sounded = replace(whole, golden=golden, files=files)
        check_contents(sounded, lambda path: BytesRange(content[path]), "x.edge")

    if reason is None:
        check()
        return
    with pytest.raises(BundleError, match=reason.replace("(", r"\(")):
        check()
