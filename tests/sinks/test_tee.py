from __future__ import annotations

import pytest

from edgekit.errors import OutputError
from edgekit.sinks.tee import Tee


class Recorder:
    def __init__(self, fails=False):
        self.calls = []
        self.fails = fails

    def write(self, outcome):
        self.calls.append(outcome.frame.index)

    def commit(self):
        self.calls.append("commit")
        if self.fails:
            raise OutputError("full")

    def abort(self):
        self.calls.append("abort")


def test_every_sink_gets_everything(outcome):
    sinks = Recorder(), Recorder()
    tee = Tee(sinks)
    tee.write(outcome(1))
    tee.commit()
    tee.abort()
    assert [sink.calls for sink in sinks] == [[1, "commit", "abort"]] * 2


def test_one_that_fails_does_not_keep_the_others_from_committing():
    sinks = Recorder(fails=True), Recorder()
    with pytest.raises(OutputError, match="full"):
        Tee(sinks).commit()
    assert [sink.calls for sink in sinks] == [["commit", "abort"], ["commit"]]


def test_no_sink_at_all(outcome):
    tee = Tee()
    tee.write(outcome(1))
    tee.commit()
    tee.abort()
