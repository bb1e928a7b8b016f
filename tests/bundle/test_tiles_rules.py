"""What ties the parts of a model that sees and speaks together."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from edgekit.bundle.check import check_manifest
from edgekit.bundle.codec import decode_manifest, encode_manifest
from edgekit.bundle.manifest import FeaturesHead, File, ImageInput, Model, TilesInput, kept_outputs
from edgekit.errors import BundleError
from tests.decoder_files import (
    HEAD,
    INPUT,
    VOCABULARY,
    language_manifest,
    language_members,
    language_variant,
)

HALF = (0.5, 0.5, 0.5)
TILES = TilesInput("pixel_values", size=512, longest=2048, split=True, mean=HALF, std=HALF)
FEATURES = FeaturesHead("image_features", tokens=64, placeholder=299, layout="idefics3")
BOTH_WAYS = replace(INPUT, both_ways="both_ways")
GEMMA = {
    "tiles": replace(TILES, longest=None, split=False),
    "features": replace(FEATURES, tokens=16, layout="gemma3"),
    "decoder": BOTH_WAYS,
}


@pytest.fixture(scope="module")
def members():
    return language_members()


def manifest(members, tiles=TILES, features=FEATURES, decoder=INPUT):
    """A language model's manifest with a graph that sees: the embedding's file under a second name."""
    variant = language_variant(members, HEAD, decoder)
    embed = variant.models["embed"]
    vision = Model(embed.path, "onnx", tiles, features, embed.external)
    variant = replace(variant, models={"vision": vision, **variant.models})
    files = tuple(File(p, len(d), "0" * 64, aligned=p.startswith("fp32/")) for p, d in members.items())
    return language_manifest(members, files=files, variants=(variant,))


@pytest.mark.parametrize(
    ("tiles", "features"),
    [
        (TILES, FEATURES),
        (replace(TILES, split=False), FEATURES),
        (replace(TILES, longest=4096, size=256), FEATURES),
        (replace(TILES, longest=None, split=False, size=896, algorithm="pillow_bilinear"),
         replace(FEATURES, tokens=16, layout="gemma3")),
    ],
)  # fmt: skip
def test_manifests_that_hold(members, tiles, features):
    gemma = features.layout == "gemma3"
    made = manifest(members, tiles, features, BOTH_WAYS if gemma else INPUT)
    check_manifest(made)
    assert (b"both_ways" in encode_manifest(made)) == gemma
    assert decode_manifest(encode_manifest(made)) == made
    assert kept_outputs(tiles, features) == ("image_features",)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"tiles": replace(TILES, longest=None)}, "split, expected longest with it"),
        ({"tiles": replace(TILES, longest=4096, size=240)}, "longest is 4096 and size 240, which is 18 tiles a side"),
        ({"tiles": ImageInput("x", (), "rgb")}, "expected a tiles input and a features_head together"),
        ({"features": HEAD}, "expected a decoder input and a logits_head together"),
        ({"features": replace(FEATURES, layout="gemma3")}, "layout gemma3 has no marks for rows and columns"),
        ({"features": replace(FEATURES, placeholder=VOCABULARY)}, "token 300, expected tokens below 300"),
        ({"features": replace(FEATURES, tokens=128)}, "128 tokens a tile, expected fewer than the context's 128"),
        ({**GEMMA, "decoder": INPUT}, "layout gemma3 look both ways, expected the decoder's both_ways"),
        ({**GEMMA, "features": replace(GEMMA["features"], tokens=17)}, "17 tokens a tile, expected at most a call's"),
        ({"decoder": BOTH_WAYS}, "both_ways: expected only beside pictures that look both ways"),
        ({**GEMMA, "decoder": replace(INPUT, both_ways="rows")}, "expected each once"),
        ({"tiles": replace(TILES, mean=(0.5, float("nan"), 0.5))}, r"mean\[1\]: is nan, expected a finite number"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit(members, parts, reason):
    with pytest.raises(BundleError, match=reason):
        check_manifest(manifest(members, **parts))


def test_texts_know_no_calls_that_look_both_ways(members):
    files = tuple(File(p, len(d), "0" * 64, aligned=p.startswith("fp32/")) for p, d in members.items())
    made = language_manifest(members, files=files, variants=(language_variant(members, HEAD, BOTH_WAYS),))
    with pytest.raises(BundleError, match="both_ways: expected only beside pictures"):
        check_manifest(made)


@pytest.mark.parametrize(
    ("part", "changes", "reason"),
    [
        ("input", {"size": 7}, ">= 8"),
        ("input", {"size": 4097}, "<= 4096"),
        ("input", {"longest": 0}, ">= 1"),
        ("input", {"longest": 4097}, "<= 4096"),
        ("input", {"split": 1}, "Expected `bool`"),
        ("input", {"mean": [0.5, 0.5]}, "of length 3"),
        ("input", {"std": [0.5, 0, 0.5]}, ">= 0.0039"),
        ("input", {"algorithm": "pillow_box"}, "Invalid enum value 'pillow_box'"),
        ("input", {"pad": 0}, "unknown field `pad`"),
        ("head", {"tokens": 0}, ">= 1"),
        ("head", {"placeholder": -1}, ">= 0"),
        ("head", {"layout": "llava"}, "Invalid enum value 'llava'"),
    ],
)
def test_values_that_are_none(members, part, changes, reason):
    tree = json.loads(encode_manifest(manifest(members)))
    tree["variants"][0]["models"]["vision"][part] |= changes
    with pytest.raises(BundleError, match=reason):
        decode_manifest(json.dumps(tree).encode())


@pytest.mark.parametrize(
    ("longest", "size", "split", "tiles"),
    [
        (2048, 512, True, 4),
        (2049, 512, True, 5),
        (511, 512, True, 1),
        (513, 512, False, 1),
        (27, 27, True, 2),
    ],
)
def test_most_tiles_a_side(longest, size, split, tiles):
    assert replace(TILES, longest=longest, size=size, split=split).tiles_a_side == tiles
