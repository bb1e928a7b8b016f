from functools import partial

import numpy as np
import pytest

from edgekit.data.dataset import Dataset
from edgekit.data.sample import Sample, kind_of
from edgekit.errors import UsageError
from edgekit.evaluate import compare as compare_sides
from edgekit.evaluate import content_of, stages
from edgekit.evaluation.options import Options
from edgekit.evaluation.outcome import Data
from edgekit.predictions.file import Header, open_recording
from edgekit.predictions.journal import Journal
from edgekit.predictions.prediction import Key
from edgekit.predictions.side import RecordedSide, TaskSide
from edgekit.predictions.writer import RecordingWriter
from edgekit.statistics.paired import tango
from edgekit.statistics.proportion import unseen_upper, wilson
from edgekit.tasks.trace import Trace
from edgekit.types import Classification, Frame

LABELS = ("a", "b", "c")


class Source:
    """One picture whose every pixel is ``value``."""

    def __init__(self, value, truth, cluster):
        self.value, self.known, self.sha256 = value, truth, cluster
        self.id, self.count, self.recipe, self.truth = f"picture {value}", 1, repr(truth), kind_of(truth)

    def samples(self):
        yield Sample(
            self.id, self.sha256, lambda: Frame(np.full((4, 4, 3), self.value, np.uint8)), self.known
        )


def dataset(n, truth=None, per_cluster=1):
    return Dataset(("made",), tuple(Source(i, truth, str(i // per_cluster)) for i in range(n)))


class Session:
    inputs = outputs = ()

    def run(self, feeds):
        return [feeds["logits"]]


def compare(reference, candidate, data, **options):
    found = compare_sides(TaskSide(reference), [TaskSide(candidate)], data, Options(**options))
    return found.evaluations[0]


class Classifier:
    """Says ``a``, but ``b`` for the pictures in ``wrong``."""

    name, accepts, bundle_name, engine, threads, labels = "classify", "picture", "fake", "fake 1", 1, LABELS

    def __init__(self, wrong=(), variant="v", noise=0.0, log=None):
        self.wrong, self.variant, self.noise, self.log = set(wrong), variant, noise, log

    def __call__(self, image, trace=None):
        if self.log is not None:
            self.log.append(self.variant)
        trace = trace or Trace()
        logits = np.zeros(3, np.float32) + self.noise
        logits[int(int(image.pixels[0, 0, 0]) in self.wrong)] += 2
        trace.infer("model", Session(), {"logits": logits})
        return Classification(logits, LABELS)


def test_labelled():
    found = compare(Classifier(range(10)), Classifier(range(5, 25)), dataset(200, truth=0), max_drop=2.0)
    assert (found.task, found.metric, found.n, found.clusters, found.unit) == (
        "classify",
        "top1",
        200,
        200,
        "sample",
    )
    assert (found.reference, found.candidate, found.drop) == (95.0, 90.0, 5.0)
    assert (found.flips.right_to_wrong, found.flips.wrong_to_right, found.flips.changed) == (15, 5, 20)
    assert found.agreement == 90.0
    assert found.interval == pytest.approx(
        (100 * tango(15, 5, 200).low, 100 * tango(15, 5, 200).high), abs=1e-5
    )
    assert (found.verdict, found.needed_n, found.least_n) == ("INCONCLUSIVE", None, 149)
    assert found.reason.endswith("more samples like these would not make it pass")
    assert found.data.sha256 == dataset(200, truth=0).sha256
    assert found.data.truth == "label"


@pytest.mark.parametrize(("limit", "verdict"), [(12.0, "PASS"), (2.0, "FAIL"), (6.0, "INCONCLUSIVE")])
def test_verdicts_without_labels(limit, verdict):
    found = compare(Classifier(), Classifier(range(10)), dataset(200), max_drop=limit)
    assert found.metric == "disagreement"
    assert found.interval == pytest.approx((100 * wilson(10, 200).low, 100 * wilson(10, 200).high), abs=1e-5)
    assert found.verdict == verdict
    assert found.reason.startswith("the disagreement ")
    assert found.flips.right_to_wrong is None


def test_inconclusive_says_how_many():
    found = compare(Classifier(), Classifier([3]), dataset(200), max_drop=1.0)
    assert wilson(found.needed_n / 200, found.needed_n).high <= 0.01
    assert wilson((found.needed_n - 2) / 200, found.needed_n - 2).high > 0.01
    assert f"about {found.needed_n:,} samples would tell" in found.reason


def test_nothing_flips():
    found = compare(Classifier(), Classifier(), dataset(200), max_drop=2.0)
    assert found.interval == (0.0, pytest.approx(100 * unseen_upper(200), abs=1e-6))
    assert (found.verdict, found.identical, found.sqnr_db, found.sqnr_n) == ("PASS", True, None, 200)
    assert found.worst == ()


def test_clusters_are_told():
    found = compare(Classifier(), Classifier(), dataset(200, per_cluster=10), max_drop=2.0)
    assert (found.n, found.clusters, found.unit, found.verdict) == (200, 20, "source", "INCONCLUSIVE")
    assert found.needed_n == 1483
    assert "from 149 sources" in found.reason


def test_no_limit():
    found = compare(Classifier(), Classifier([1]), dataset(100))
    assert (found.verdict, found.max_drop, found.least_n, found.holds) == ("NONE", None, None, True)
    assert found.reason.startswith("the disagreement is 1.00 points, from ")


def test_relative_limit():
    half = range(100, 200)
    found = compare(Classifier(half), Classifier(half), dataset(200, truth=0), max_drop=4.0, relative=True)
    assert found.max_drop == 2.0
    assert found.verdict == "PASS"
    with pytest.raises(UsageError, match="a relative limit needs labels"):
        compare(Classifier(), Classifier(), dataset(5), max_drop=4.0, relative=True)


def test_noise_and_worst():
    found = compare(Classifier(), Classifier([1, 4], noise=0.1), dataset(6), worst=1)
    assert found.sqnr_db == pytest.approx(
        10 * np.log10(6 * 4 / (4 * 3 * 0.01 + 2 * (1.9**2 + 2.1**2 + 0.01))), abs=1e-4
    )
    assert [w.id for w in found.worst] == ["picture 1"]
    assert (found.worst[0].number, found.worst[0].thumbnail) == (1, None)


def test_takes_turns_and_tells_progress():
    log, done = [], []
    sides = [TaskSide(Classifier(variant=name, log=log)) for name in "rcd"]
    compare_sides(sides[0], sides[1:], dataset(4), advance=lambda: done.append(1))
    assert "".join(log) == "rcdcdrdrcrcd"
    assert len(done) == 4


def test_agreement_of_all_with_all():
    sides = [
        TaskSide(Classifier(wrong, name)) for name, wrong in (("r", ()), ("c", [1, 2]), ("d", [2, 3, 4]))
    ]
    found = compare_sides(sides[0], sides[1:], dataset(10))
    assert found.matrix.variants == ("r", "c", "d")
    assert found.matrix.percent == ((100, 80, 70), (80, 100, 70), (70, 70, 100))
    assert [e.drop for e in found.evaluations] == [20.0, 30.0]


def test_looks_stop_when_it_is_clear():
    found = compare(Classifier(), Classifier(range(0, 250, 2)), dataset(250), max_drop=2.0, looks=3)
    assert [(look.n, look.verdict) for look in found.looks] == [(63, "FAIL")]
    assert (found.n, found.verdict) == (63, "FAIL")
    assert found.looks[0].confidence == found.confidence == pytest.approx(1 - 9.45e-5, abs=1e-7)
    found = compare(Classifier(), Classifier(), dataset(200), max_drop=2.0, looks=3)
    assert [(look.n, look.verdict) for look in found.looks] == [
        (50, "INCONCLUSIVE"), (100, "INCONCLUSIVE"), (200, "PASS"),
    ]  # fmt: skip
    assert found.interval[1] > 100 * unseen_upper(200)


def test_stages_are_even_draws_of_the_whole():
    drawn = stages(dataset(100), Options(looks=3, seed=4))
    assert [len(numbers) for numbers in drawn] == [25, 25, 50]
    assert sorted(number for numbers in drawn for number in numbers) == list(range(100))
    assert all(numbers == sorted(numbers) for numbers in drawn)
    assert 30 < np.mean(drawn[0]) < 70
    assert stages(dataset(100), Options(looks=3, seed=5)) != drawn
    assert stages(dataset(4).limited(2), Options()) == [sorted(dataset(4).limited(2).picked)]


def test_conditions_are_slices_beside_the_drop():
    dark = Classifier(
        range(100)
    )  # darkness makes every pixel smaller: what was right above 100 becomes wrong
    found = compare(Classifier(), dark, dataset(200), conditions=("darkness",))
    assert found.drop == 50.0
    assert [(s.kind, s.name, s.n) for s in found.slices] == [("condition", "darkness", 200)]
    assert found.slices[0].drop > 60


def test_from_recordings_and_from_a_journal_the_very_same(tmp_path):
    data, options = dataset(30, truth=0), Options(max_drop=5.0, conditions=("blur",))
    live = [TaskSide(Classifier([3], noise=0.25)), TaskSide(Classifier([3, 7]))]
    expected = compare_sides(live[0], live[1:], data, options).evaluations[0]
    recorded = []
    for i, side in enumerate(live):
        header = Header(task="classify", data=Data(("made",), data.sha256, "label"), labels=LABELS)
        writer = RecordingWriter(tmp_path / f"{i}.predictions", header)
        for number, sample in data.numbered():
            for condition in ("", "blur"):
                key = Key(number, condition)
                writer.add(key, sample.id, side.predict(key, sample.id, partial(content_of, key, sample)))
        recorded.append(RecordedSide(open_recording(writer.finish())))
    assert compare_sides(recorded[0], recorded[1:], data, options).evaluations[0] == expected
    assert compare_sides(recorded[0], live[1:], data, options).evaluations[0] == expected
    for _ in range(2):  # the second finds all in the journal
        journal = Journal(tmp_path / "journal", "x", [LABELS, LABELS])
        assert compare_sides(live[0], live[1:], data, options, journal=journal).evaluations[0] == expected
        journal.close()
    one_off, lost = 3 * 0.25**2, 1.75**2 + 2.25**2 + 0.25**2  # noise of a sample: all, and the one that flips
    signal = 29 * (2.25**2 + 2 * 0.25**2) + 2.25**2 + 2 * 0.25**2
    assert expected.sqnr_db == pytest.approx(10 * np.log10(signal / (29 * one_off + lost)), abs=1e-4)


def test_other_tasks():
    ocr, unknown = Classifier(), Classifier()
    ocr.name, unknown.name = "ocr", "chat"
    with pytest.raises(UsageError, match="fake is a task 'classify', candidate fake a task 'ocr'"):
        compare(Classifier(), ocr, dataset(2))
    reader = Classifier()
    reader.accepts = "text"
    with pytest.raises(UsageError, match="reference fake takes pictures, candidate fake texts"):
        compare(Classifier(), reader, dataset(2))
    with pytest.raises(UsageError, match="no metric for the task 'chat'"):
        compare(unknown, unknown, dataset(2))
