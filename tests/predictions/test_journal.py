import pytest

from edgekit.errors import OutputError
from edgekit.predictions.journal import Journal
from edgekit.predictions.prediction import Key

from .conftest import LABELS


def test_goes_on_and_is_removed(tmp_path, said):
    path = tmp_path / "unfinished.jsonl"
    journal = Journal(path, "run 1", (LABELS, LABELS))
    for number in (4, 2):
        assert journal.next(Key(number)) is None
        journal.add(Key(number), f"{number}.png", [said(number), said(9)], [(2.5, number / 3)])
    journal.close()
    journal = Journal(path, "run 1", (LABELS, LABELS))
    assert journal.found == 2
    predictions, noise = journal.next(Key(4))
    assert [p.result.scores.tobytes() for p in predictions] == [
        said(n).result.scores.tobytes() for n in (4, 9)
    ]
    assert ([p.ms for p in predictions], noise) == ([5.25, 10.25], ((2.5, 4 / 3),))
    assert journal.next(Key(2)) is not None
    assert journal.next(Key(7)) is None
    journal.remove()
    assert not path.exists()


def test_another_run_begins_anew(tmp_path, said):
    journal = Journal(tmp_path / "j", "run 1", (LABELS,))
    journal.add(Key(0), "0", [said(0)], [None])
    journal.close()
    other = Journal(tmp_path / "j", "run 2", (LABELS,))
    assert (other.found, other.next(Key(0))) == (0, None)
    other.close()


@pytest.mark.parametrize(("old", "new"), [(b'"number":0', b'"number":1'), (b'"noise"', b'"noisy"')])
def test_a_journal_that_was_tampered_with(tmp_path, said, old, new):
    path = tmp_path / "j"
    journal = Journal(path, "run 1", (LABELS,))
    journal.add(Key(0), "0", [said(0)], [None])
    journal.close()
    path.write_bytes(path.read_bytes().replace(old, new))
    journal = Journal(path, "run 1", (LABELS,))
    with pytest.raises(OutputError, match=r"cannot go on from it: .*\(remove it and run again\)"):
        journal.next(Key(0))
    journal.close()
