from pathlib import Path

from edgekit.report.schema import json_schema, published

FILE = Path(__file__).resolve().parents[2] / "docs" / "accuracy-report.schema.json"


def test_the_published_file_is_up_to_date():
    assert FILE.read_bytes() == published(), f"run: python -m edgekit.report.schema > {FILE}"


def test_says_what_a_reader_checks():
    definitions = json_schema()["$defs"]
    assert definitions["Report"]["properties"]["schema"] == {"const": 2}
    assert {"schema", "kind", "drop", "subjects", "machine"} <= set(definitions["Report"]["required"])
    assert "graphs" not in definitions["Report"]["required"]
    assert all(d["additionalProperties"] is False for d in definitions.values())
    assert definitions["Card"]["properties"]["task"]["pattern"].endswith("*$")
