"""What ties a language model's parts together, and one file of weights that two graphs name."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edgekit.bundle.check import check_manifest, member_uses
from edgekit.bundle.manifest import File, kept_outputs
from edgekit.bundle.reader import open_bundle
from edgekit.errors import BundleError
from tests.decoder_files import (
    HEAD,
    INPUT,
    language_bundle,
    language_manifest,
    language_members,
    language_variant,
)


@pytest.fixture(scope="module")
def members():
    return language_members()


def checked(members, head=HEAD, given=INPUT, total=0):
    files = tuple(File(p, len(d), "0" * 64, aligned=p.startswith("fp32/")) for p, d in members.items())
    variant = language_variant(members, head, given)
    return language_manifest(members, files=files, variants=(replace(variant, bytes=variant.bytes + total),))


def test_weights_that_two_graphs_name_count_once(members):
    check_manifest(checked(members))
    once = sum(len(data) for path, data in members.items() if path.startswith("fp32/"))
    with pytest.raises(BundleError, match=f"expected the sum of its model files, {once}"):
        check_manifest(checked(members, total=len(members["fp32/weights.bin"])))


def test_uses_of_members(members):
    uses = member_uses(checked(members))
    assert uses == {
        "fp32/embed.onnx": "onnx", "fp32/decode.onnx": "onnx", "fp32/weights.bin": "external",
        "assets/tokenizer.json": "tokenizer", "assets/chat.jinja": "text",
    }  # fmt: skip


def test_a_bundle_of_graphs_that_share_weights_holds(tmp_path):
    bundle = open_bundle(language_bundle(tmp_path / "tiny.edge"))
    assert bundle.verify().members == 6
    assert (bundle.folder() / "fp32/weights.bin").is_file()


def test_what_a_decoder_keeps_is_among_its_outputs():
    assert kept_outputs(INPUT, HEAD)[0] == "logits"
    assert len(kept_outputs(INPUT, HEAD)) == 1 + len(INPUT.past)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"given": replace(INPUT, chunk=INPUT.context + 1)},
            "chunk is 129, expected at most the context's 128",
        ),
        ({"given": replace(INPUT, past=(*INPUT.past, INPUT.past[0]))}, "carried is .*expected each once"),
        ({"given": replace(INPUT, rows="seqlens_k")}, "inputs are .*expected each once"),
        ({"head": replace(HEAD, first=300)}, "names token 300, expected tokens below 300"),
        ({"head": replace(HEAD, ends=(5, 301))}, "names token 301"),
        ({"head": replace(HEAD, chat_template="assets/tokenizer.json")}, "is used as tokenizer and as text"),
        ({"head": replace(HEAD, chat_template="assets/gone.jinja")}, "expected it among the files"),
    ],
)
def test_parts_that_do_not_fit(members, changes, reason):
    with pytest.raises(BundleError, match=reason):
        check_manifest(checked(members, **changes))
