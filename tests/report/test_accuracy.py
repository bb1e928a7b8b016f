import msgspec
import pytest

from edgekit.report.accuracy import Report, as_json


def test_json_has_the_contract_at_its_top(report):
    fields = as_json(report())
    assert fields["schema"] == 1
    assert fields["interval"] == (-0.1, 1.7)
    assert fields["flips"] == {"changed": 34, "right_to_wrong": 21, "wrong_to_right": 13}
    assert {"task", "metric", "n", "reference", "candidate", "drop", "agreement", "verdict"} <= fields.keys()
    assert fields["subjects"]["candidate"]["bytes"] == 5_190_000
    assert "thumbnail" not in fields["worst"][0]


def test_reads_back_whole(report):
    made = report()
    again = msgspec.json.decode(msgspec.json.encode(made), type=Report)
    assert again == made
    assert again.worst[0].thumbnail.startswith(b"\xff\xd8")


def test_unknown_keys_are_refused(report):
    fields = msgspec.to_builtins(report())
    with pytest.raises(msgspec.ValidationError, match="unknown field `x`"):
        msgspec.convert({**fields, "x": 1}, Report)
