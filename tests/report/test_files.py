import json
import os
from xml.etree import ElementTree

import pytest

from edgekit.errors import EnvironmentLacks, OutputError
from edgekit.evaluation.outcome import Worst
from edgekit.report import page as page_module
from edgekit.report.accuracy import read_report
from edgekit.report.comparison import compare_reports
from edgekit.report.files import make_folder, write_comparison, write_report


def test_four_files(tmp_path, report):
    paths = write_report(report(), tmp_path / "a" / "b")
    assert {k: p.name for k, p in paths.items()} == {
        "json": "report.json", "markdown": "report.md", "html": "report.html", "junit": "report.junit.xml"
    }  # fmt: skip
    assert json.loads(paths["json"].read_text())["verdict"] == "PASS"
    assert paths["html"].read_text().endswith("</html>\n") or paths["html"].read_text().endswith("</html>")
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == [
        "report.html",
        "report.json",
        "report.junit.xml",
        "report.md",
    ]


def test_same_bytes_again(tmp_path, report):
    one, two = (write_report(report(), tmp_path / name) for name in ("a", "b"))
    assert all(one[k].read_bytes() == two[k].read_bytes() for k in one)


def test_nothing_is_written_without_jinja2(tmp_path, report, monkeypatch):
    monkeypatch.setattr(page_module, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentLacks):
        write_report(report(), tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("full_at", [1, 2, 3, 4])
def test_a_disk_that_fills_up_leaves_the_old_report(tmp_path, report, monkeypatch, full_at):
    before = {path.name: path.read_bytes() for path in write_report(report(), tmp_path).values()}
    count = 0

    def full(fd):
        nonlocal count
        count += 1
        if count >= full_at:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgekit.bundle.atomic.os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_report(report(n=2000), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_folder_that_cannot_be_made_or_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file/a: Not a directory"):
        make_folder(tmp_path / "file" / "a")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="no permission to write there"):
        make_folder(tmp_path)


def test_names_that_are_no_utf8_can_be_read_back(tmp_path, report):
    paths = write_report(report(worst=(Worst("caf\udce9.jpg", None, "a", "b", 1.0, True),)), tmp_path)
    assert read_report(paths["json"]).worst[0].id == "caf\\udce9.jpg"
    assert "caf\\udce9.jpg" in paths["html"].read_text("utf-8")
    ElementTree.parse(paths["junit"])


def test_comparison(tmp_path, full, broken):
    paths = write_comparison(compare_reports(full(), broken), tmp_path / "c")
    assert {k: p.name for k, p in paths.items()} == {
        "json": "comparison.json", "markdown": "comparison.md", "html": "comparison.html"
    }  # fmt: skip
    assert json.loads(paths["json"].read_text())["after"]["verdict"] == "FAIL"
