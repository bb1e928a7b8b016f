from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from edgekit.bundle import writer
from edgekit.bundle.codec import encode_manifest
from edgekit.bundle.layout import ALIGNMENT
from edgekit.bundle.reader import open_bundle
from edgekit.bundle.writer import bundle_bytes, write_bundle
from edgekit.errors import BundleError, OutputError
from tests.bundle.samples import (
    MODEL_PATH,
    WEIGHTS_PATH,
    external,
    manifest,
    members,
    onnx_external,
    write_sample,
)
from tests.bundle.test_codec import envelope

KILLED_WRITER = """
import os, sys
from pathlib import Path
from edgekit.bundle import writer
from tests.bundle.samples import write_sample
copy, count = writer._copy, 0
def slow(*args):
    global count
    count += 1
    if count == 4:
        args[-1].flush()
        print("ready", flush=True)
        sys.stdin.read()
    copy(*args)
writer._copy = slow
write_sample(Path(sys.argv[1]))
"""


def test_two_writes_are_byte_identical(tmp_path):
    a, b = tmp_path / "a.edge", tmp_path / "sub" / "b.edge"
    b.parent.mkdir()
    write_bundle(a, manifest(), members())
    write_bundle(b, manifest(), dict(reversed(members().items())))
    assert a.read_bytes() == b.read_bytes()


def test_files_and_bytes_give_the_same_bundle(tmp_path):
    weights = tmp_path / "w"
    weights.write_bytes(members()[WEIGHTS_PATH])
    write_bundle(tmp_path / "a.edge", manifest(), members())
    write_bundle(tmp_path / "b.edge", manifest(), members(weights=weights))
    assert (tmp_path / "a.edge").read_bytes() == (tmp_path / "b.edge").read_bytes()


def test_small_members_first_then_model_files_each_by_path(sample):
    files = open_bundle(sample).manifest.files
    assert [(f.path, f.aligned) for f in files] == [
        ("golden/0.bin", False),
        ("golden/0.png", False),
        ("labels.txt", False),
        (MODEL_PATH, True),
        (WEIGHTS_PATH, True),
    ]


def test_it_returns_the_manifest_that_it_wrote(tmp_path):
    written = write_bundle(tmp_path / "a.edge", manifest(), members())
    assert open_bundle(tmp_path / "a.edge").manifest == written


def test_the_size_is_known_before(tmp_path):
    write_bundle(tmp_path / "a.edge", manifest(), members())
    assert bundle_bytes(manifest(), members()) == (tmp_path / "a.edge").stat().st_size


def test_chunks_do_not_matter(tmp_path, monkeypatch):
    weights = tmp_path / "w"
    weights.write_bytes(members()[WEIGHTS_PATH])
    whole = write_sample(tmp_path / "a.edge").read_bytes()
    monkeypatch.setattr(writer, "CHUNK_BYTES", 7)
    write_bundle(tmp_path / "b.edge", manifest(), members(weights=weights))
    assert (tmp_path / "b.edge").read_bytes() == whole


def test_it_replaces_what_was_there(tmp_path):
    path = tmp_path / "a.edge"
    path.write_text("old")
    write_sample(path)
    assert open_bundle(path).verify().members == 6


def test_a_signed_bundle(tmp_path):
    path = tmp_path / "a.edge"
    written = write_bundle(path, manifest(), members())
    unsigned = open_bundle(path)
    write_bundle(path, manifest(), members(), envelope(encode_manifest(written)))
    signed = open_bundle(path)
    assert unsigned.signature is None
    assert signed.signature is not None
    assert signed.id == unsigned.id
    assert signed.verify().signed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": None}, "'labels.txt' is referred to"),
        ({"extra": b"x"}, "'extra' is not referred to"),
        ({"../up": b"x"}, "path"),
        ({MODEL_PATH: b"\x08"}, "bytes is"),
        ({WEIGHTS_PATH: bytes(63) + b"!"}, None),
        ({"labels.txt": b"\xff"}, "byte 0 is not UTF-8"),
        ({"golden/0.png": b"GIF89a"}, "expected a PNG"),
    ],
)
def test_what_a_reader_would_refuse_is_not_written(tmp_path, change, reason):
    content = {**members(), **change}
    content = {k: v for k, v in content.items() if v is not None}
    if "labels" in change:
        del content["labels.txt"]
    target = tmp_path / "a.edge"
    if reason is None:
        write_bundle(target, manifest(), content)
        assert open_bundle(target).verify()
        return
    with pytest.raises(BundleError, match=re.escape(reason)):
        write_bundle(target, manifest(), content)
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_external_data_outside_is_not_written(tmp_path):
    content = members(model=onnx_external(external("../../etc/passwd")))
    with pytest.raises(BundleError, match=r"external data in '\.\./\.\./etc/passwd', the manifest lists"):
        write_bundle(tmp_path / "a.edge", manifest(content), content)
    assert list(tmp_path.iterdir()) == []


def test_files_are_the_writers_business(sample, tmp_path):
    whole = open_bundle(sample).manifest
    with pytest.raises(BundleError, match=r"got 5 entries, expected \(\)"):
        write_bundle(tmp_path / "b.edge", whole, members())
    write_bundle(tmp_path / "b.edge", replace(whole, files=()), members())
    assert (tmp_path / "b.edge").read_bytes() == sample.read_bytes()


def test_a_missing_member_file(tmp_path):
    with pytest.raises(BundleError, match=r"member models/int8/weights\.bin: .*No such file"):
        write_bundle(tmp_path / "a.edge", manifest(), members(weights=tmp_path / "no"))


def test_a_member_that_changes_while_it_is_written(tmp_path, monkeypatch):
    weights = tmp_path / "w"
    weights.write_bytes(members()[WEIGHTS_PATH])
    monkeypatch.setattr(writer, "_check_members", lambda *a: weights.write_bytes(bytes(64)))
    with pytest.raises(BundleError, match="changed while it was written"):
        write_bundle(tmp_path / "a.edge", manifest(), members(weights=weights))
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def test_a_member_file_that_goes_away(tmp_path, monkeypatch):
    weights = tmp_path / "w"
    weights.write_bytes(members()[WEIGHTS_PATH])
    monkeypatch.setattr(writer, "encode_manifest", lambda m: (weights.unlink(), encode_manifest(m))[1])
    model = tmp_path / "m"
    model.write_bytes(onnx_external())
    with pytest.raises(BundleError, match="No such file"):
        write_bundle(tmp_path / "a.edge", manifest(), members(weights=weights, model=model))
    weights.write_bytes(members()[WEIGHTS_PATH])
    monkeypatch.setattr(writer, "encode_manifest", lambda m: (model.unlink(), encode_manifest(m))[1])
    with pytest.raises(BundleError, match="No such file"):
        write_bundle(tmp_path / "a.edge", manifest(), members(weights=weights, model=model))


def test_too_large_for_the_format(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "MAX_FILE_BYTES", 10_000)
    with pytest.raises(BundleError, match="a bundle holds at most 10000"):
        write_sample(tmp_path / "a.edge")


def test_signature_above_the_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "MAX_SIGNATURE_BYTES", 3)
    with pytest.raises(BundleError, match=r"signature\.json: 4 bytes, expected at most 3"):
        write_bundle(tmp_path / "a.edge", manifest(), members(), b"1234")


def test_a_signature_of_another_manifest(tmp_path):
    with pytest.raises(BundleError, match="another manifest"):
        write_bundle(tmp_path / "a.edge", manifest(), members(), envelope(b"{}"))


def test_a_full_disk(tmp_path):
    """The kernel refuses to let the file grow past a limit, as a full disk does."""
    target = tmp_path / "a.edge"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ALIGNMENT, hard))
    try:
        with pytest.raises(OutputError, match=r"a\.edge: File too large .*free space"):
            write_sample(target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_killed_it_leaves_nothing_under_the_final_name(tmp_path):
    target = tmp_path / "a.edge"
    command = [sys.executable, "-c", KILLED_WRITER, str(target)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        (half,) = tmp_path.iterdir()
        assert re.fullmatch(r"\.edgekit-[0-9a-f]{12}-[0-9a-f]{12}\.tmp", half.name)
        assert half.stat().st_size > 0
        write_sample(target)  # another writer of the same file leaves a living one's temporary file alone
        assert half.exists()
        target.unlink()
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    assert list(tmp_path.iterdir()) == [half]
    write_sample(tmp_path / "b.edge")
    assert half.exists()
    write_sample(target)  # the next writer of the same target tidies up
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.edge", "b.edge"]
