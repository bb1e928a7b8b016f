import json

import msgspec
import pytest

from edgekit.errors import DataError
from edgekit.report.accuracy import Report, as_json, read_report


def write(path, report, **changes):
    fields = {**json.loads(msgspec.json.encode(report)), **changes}
    path.write_text(json.dumps({k: v for k, v in fields.items() if v is not Ellipsis}))
    return path


def test_json_has_the_contract_at_its_top(report):
    fields = as_json(report())
    assert fields["schema"] == 2
    assert fields["interval"] == (-0.1, 1.7)
    assert fields["flips"] == {"changed": 34, "right_to_wrong": 21, "wrong_to_right": 13}
    assert {"task", "metric", "n", "reference", "candidate", "drop", "agreement", "verdict"} <= fields.keys()
    assert fields["subjects"]["candidate"]["bytes"] == 5_190_000
    assert fields["machine"]["features"] == ("avx2",)
    assert "thumbnail" not in fields["worst"][0]


def test_reads_back_whole(report, tmp_path):
    made = report()
    again = read_report(write(tmp_path / "report.json", made))
    assert again == made
    assert again.worst[0].thumbnail.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": 1}, "unknown field `x`"),
        ({"n": "many"}, r"Expected `int`, got `str` - at `\$\.n`"),
        ({"n": ...}, "missing required field `n`"),
        ({"drop": None}, r"\$\.drop"),
        ({"interval": [1.0]}, r"\$\.interval"),
        ({"verdict": "MAYBE"}, r"Invalid enum value 'MAYBE' - at `\$\.verdict`"),
        ({"subjects": {}}, r"missing required field `reference` - at `\$\.subjects`"),
        ({"machine": {}}, r"\$\.machine"),
        ({"schema": 1}, r"expected schema 2, got 1 \(make the report again\)"),
        ({"schema": 3}, r"expected schema 2, got 3 \(update edgekit\)"),
        ({"schema": ...}, "got kind 'accuracy', schema None"),
        ({"kind": "latency"}, "expected an accuracy report, got kind 'latency'"),
    ],
)
def test_anything_else_is_refused_by_name(report, tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        read_report(write(tmp_path / "report.json", report(), **changes))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff\xfe", b'{"kind":"\xff"}', b"[" * 100_000, b'{"a":' * 100_000]
)
def test_what_is_no_report_is_refused(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match="a.json"):
        read_report(tmp_path / "a.json")


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_report(tmp_path / "none.json")
    with pytest.raises(DataError, match="Is a directory"):
        read_report(tmp_path)


def test_unknown_keys_are_refused(report):
    fields = msgspec.to_builtins(report())
    with pytest.raises(msgspec.ValidationError, match="unknown field `x`"):
        msgspec.convert({**fields, "x": 1}, Report)
