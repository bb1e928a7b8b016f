import hashlib

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.predictions.file import is_recording, open_recording
from edgekit.predictions.prediction import Key


def test_gives_any_sample(recorded, said, header):
    recording = open_recording(recorded)
    assert len(recording) == 10
    assert recording.header == header
    assert recording.size_bytes == recorded.stat().st_size
    assert recording.sha256 == hashlib.sha256(recorded.read_bytes()).hexdigest()
    for number in (3, 0, 4):
        got, expected = recording.prediction(Key(number, "blur"), f"{number}.png"), said(number)
        assert got.result.scores.tobytes() == expected.result.scores.tobytes()
        assert (got.ms, got.raw.tobytes()) == (expected.ms, expected.raw.tobytes())


def test_another_sample(recorded):
    recording = open_recording(recorded)
    with pytest.raises(DataError, match=r"five\.predictions: sample 5: not in it \(it holds 10 predictions"):
        recording.prediction(Key(5), "5.png")
    with pytest.raises(DataError, match="sample 1 under noise: not in it"):
        recording.prediction(Key(1, "noise"), "1.png")
    with pytest.raises(DataError, match=r"sample 1: is of '1\.png', the data has 'x\.png' there"):
        recording.prediction(Key(1), "x.png")


def test_is_recording(recorded, tmp_path):
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(recorded.read_bytes())
    other = tmp_path / "other.jsonl"
    other.write_text('{"image": "a.png"}\n')
    assert [is_recording(p) for p in (recorded, plain, other, tmp_path / "none")] == [
        True,
        True,
        False,
        False,
    ]


def change(path, old, new, count=1):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, count))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"version":1', b'"version":2', r":1: Invalid enum value 2"),
        (b'"kind":"edgekit-predictions"', b'"kind":"else"', r":1: Invalid enum value 'else'"),
        (b'"task":"classify"', b'"task":"classify","more":1', r":1: .*unknown field `more`"),
        (b'"id":"0.png"', b'"id":"9.png"', "the SHA-256 of the lines before is another"),
        (b'{"number":1,', b'{"number":0,', r":4: sample 0 is there twice"),
        (b'"is":"classification"', b'"is":"nonsense"', r":2: Invalid value 'nonsense'"),
        (b'"end":10', b'"end":9', "not whole: 10 predictions, expected 9"),
    ],
)
def test_damage_is_named(recorded, old, new, message):
    change(recorded, old, new)
    with pytest.raises(DataError, match=message):
        open_recording(recorded)


def test_cut_short(recorded):
    data = recorded.read_bytes()
    for cut in (0, 10, len(data) // 2, len(data) - 1):
        recorded.write_bytes(data[:cut])
        with pytest.raises(DataError, match="not whole|cut off"):
            open_recording(recorded)
    recorded.write_bytes(data[: data.rindex(b'{"end"')])
    with pytest.raises(
        DataError, match=r"not whole: 10 predictions and no last line \(run the recording again"
    ):
        open_recording(recorded)
    recorded.write_bytes(data + b"{}\n")
    with pytest.raises(DataError, match="something follows the last line"):
        open_recording(recorded)
    with pytest.raises(DataError, match="No such file"):
        open_recording(recorded.with_name("none"))


def test_any_byte_may_change(recorded):
    data = recorded.read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(300):
        at, bit = int(rng.integers(len(data))), int(rng.integers(8))
        broken = bytearray(data)
        broken[at] ^= 1 << bit
        recorded.write_bytes(bytes(broken))
        with pytest.raises(DataError):
            open_recording(recorded)


def test_written_by_another_tool(tmp_path):
    path = tmp_path / "theirs.predictions"
    path.write_text(
        '{"kind":"edgekit-predictions","version":1,"task":"classify","labels":["a","b"],'
        '"data":{"specs":[],"sha256":"","truth":"none"}}\n'
        '{"number":0,"result":{"is":"classification","scores":[0.25,0.75]}}\n'
        '{"end":1}\n'
    )
    prediction = open_recording(path).prediction(Key(0), "whatever.png")
    assert (prediction.result.top(1)[0].label, prediction.ms, prediction.raw) == ("b", None, None)
