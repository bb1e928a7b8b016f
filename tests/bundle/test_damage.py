"""Every byte counts: random and systematic damage to a bundle, all of it refused without a traceback."""

from __future__ import annotations

import random
import zipfile

import pytest

from edgekit.bundle.codec import encode_manifest
from edgekit.bundle.reader import open_bundle
from edgekit.bundle.writer import write_bundle
from edgekit.errors import BundleError
from tests.bundle.samples import manifest, members, write_sample
from tests.bundle.test_codec import envelope

FLIPS = 2000
TRUNCATIONS = 200


@pytest.fixture(params=["unsigned", "signed"])
def bundle(request, tmp_path):
    path = tmp_path / "a.edge"
    if request.param == "unsigned":
        return write_sample(path)
    written = write_bundle(path, manifest(), members())
    write_bundle(path, manifest(), members(), envelope(encode_manifest(written)))
    return path


def refused(path, data):
    """Whether ``verify`` refuses these bytes with one clear line."""
    path.write_bytes(data)
    try:
        open_bundle(path).verify()
    except BundleError as error:
        assert str(error).isprintable(), repr(str(error))
        assert error.remedy
        return True
    return False


def flipped(data, bit):
    copy = bytearray(data)
    copy[bit // 8] ^= 1 << bit % 8
    return bytes(copy)


def test_undamaged_it_verifies(bundle):
    seen = []
    done = open_bundle(bundle).verify(seen.append)
    assert done.size_bytes == bundle.stat().st_size
    assert done.members == 6 + done.signed
    assert sum(seen) == sum(file.size for file in open_bundle(bundle).manifest.files)


def test_random_single_bit_flips(bundle):
    data = bundle.read_bytes()
    bits = random.Random(20261).sample(range(8 * len(data)), FLIPS // 2)
    passed = [bit for bit in bits if not refused(bundle, flipped(data, bit))]
    assert passed == []


def test_one_flip_in_every_byte_that_is_not_padding(bundle):
    """Padding is most of a small bundle: here every header, name, CRC and member byte has its turn.

    Of the JSON, where all bytes are alike to a CRC-32, one in eight.
    """
    data = bundle.read_bytes()
    source = random.Random(20262)
    places = [i for i, byte in enumerate(data) if byte or any(data[max(0, i - 8) : i + 8])]
    json = [
        range(43, data.index(b"PK\x03\x04", 43)),
        range(data.rindex(b"PK\x03\x04"), data.index(b"PK\x01\x02")),
    ]
    places = [i for i in places if i % 8 == 0 or not any(i in span for span in json)]
    assert len(places) > 1000
    passed = [i for i in places if not refused(bundle, flipped(data, 8 * i + source.randrange(8)))]
    assert passed == []


def test_random_truncations(bundle):
    data = bundle.read_bytes()
    lengths = {0, 1, 21, 22, len(data) - 1, *random.Random(20263).sample(range(len(data)), TRUNCATIONS // 2)}
    assert [n for n in lengths if not refused(bundle, data[:n])] == []


def test_anything_appended(bundle):
    data = bundle.read_bytes()
    tails = [b"\0", b"PK\x05\x06" + bytes(18), bytes(10_000), data, bytes(9 * 2**20)]
    assert [t[:4] for t in tails if not refused(bundle, data + t)] == []


def test_anything_in_front_or_between(bundle):
    data = bundle.read_bytes()
    assert refused(bundle, b"#!/bin/sh\n" + data)
    for offset in (43, 1000, len(data) - 22):
        assert refused(bundle, data[:offset] + b"\0" + data[offset:])
        assert refused(bundle, data[:offset] + data[offset + 1 :])


def test_both_copies_of_a_crc_changed(bundle):
    """The headers agree with each other, and the SHA-256 is right: still not the file that was written."""
    data = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(bundle) as archive:
        info = archive.getinfo("labels.txt")
    crc = info.CRC.to_bytes(4, "little")
    assert data.count(crc) == 2
    changed = bytes(data).replace(crc, bytes(4))
    bundle.write_bytes(changed)
    opened = open_bundle(bundle)
    with pytest.raises(BundleError, match="CRC-32 .*, its headers say 00000000"):
        opened.verify()


def test_a_flip_in_a_member_is_named(bundle):
    data = bundle.read_bytes()
    at = data.index(b"cat\ndog\n")
    bundle.write_bytes(flipped(data, 8 * at))
    opened = open_bundle(bundle)
    with pytest.raises(
        BundleError, match=r"member labels\.txt: SHA-256 .* expected .*damaged or was not written"
    ):
        opened.read("labels.txt")
    assert opened.read("golden/0.bin") == bytes(16)
