from __future__ import annotations

from edgekit.camera.journal import MAX_OUTAGES, Journal

S = 1_000_000_000


def test_nothing_happened():
    assert Journal(5 * S).as_json(65 * S) == {
        "reconnects": 0,
        "changes": 0,
        "outages_total": 0,
        "outage_s": 0.0,
        "outages": [],
    }


def test_outages_are_listed_in_seconds_from_the_start():
    journal = Journal(10 * S)
    journal.begin("lost", 15 * S)
    journal.end(17 * S)
    journal.begin("frozen", 20 * S)
    assert journal.outage is not None
    assert journal.as_json(30 * S)["outages"] == [
        {"cause": "lost", "start_s": 5.0, "seconds": 2.0, "over": True},
        {"cause": "frozen", "start_s": 10.0, "seconds": 10.0, "over": False},
    ]
    assert journal.as_json(30 * S)["outage_s"] == 12.0


def test_one_of_another_cause_takes_its_place():
    journal = Journal(0)
    journal.begin("frozen", 1 * S)
    journal.begin("lost", 3 * S)
    journal.end(4 * S)
    journal.end(9 * S)
    seconds = [(one["cause"], one["seconds"]) for one in journal.as_json(9 * S)["outages"]]
    assert seconds == [("frozen", 2.0), ("lost", 1.0)]
    assert journal.outage is None


def test_memory_is_bounded_and_the_sums_go_on():
    journal = Journal(0)
    for i in range(10 * MAX_OUTAGES):
        journal.begin("lost", i * S)
        journal.end(i * S + S // 2)
    found = journal.as_json(0)
    assert (found["outages_total"], found["outage_s"]) == (1000, 500.0)
    assert len(found["outages"]) == 100
    assert found["outages"][-1]["start_s"] == 999.0


def test_an_end_before_its_beginning_is_no_time_at_all():
    journal = Journal(0)
    journal.begin("hung", 5 * S)
    journal.end(4 * S)
    assert journal.as_json(9 * S)["outage_s"] == 0.0
