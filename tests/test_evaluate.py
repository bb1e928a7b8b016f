import numpy as np
import pytest

from edgekit.data.dataset import Dataset
from edgekit.data.sample import Sample, kind_of
from edgekit.errors import UsageError
from edgekit.evaluate import compare
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
        yield Sample(self.id, self.sha256, lambda: Frame(np.full((4, 4, 3), self.value, np.uint8)), self.known)


def dataset(n, truth=None, per_cluster=1):
    return Dataset(("made",), tuple(Source(i, truth, str(i // per_cluster)) for i in range(n)))


class Session:
    inputs = outputs = ()

    def run(self, feeds):
        return [feeds["logits"]]


class Classifier:
    """Says ``a``, but ``b`` for the pictures in ``wrong``."""

    name, bundle_name, engine, threads = "classify", "fake", "fake 1", 1

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
        "picture",
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
    found = compare(Classifier(), Classifier([1, 4], noise=0.1), dataset(6), worst=1, thumbnails=True)
    assert found.sqnr_db == pytest.approx(
        10 * np.log10(6 * 4 / (4 * 3 * 0.01 + 2 * (1.9**2 + 2.1**2 + 0.01))), abs=1e-4
    )
    assert [w.id for w in found.worst] == ["picture 1"]
    assert found.worst[0].thumbnail.startswith(b"\xff\xd8")


def test_takes_turns_and_tells_progress():
    log, done = [], []
    compare(
        Classifier(variant="r", log=log),
        Classifier(variant="c", log=log),
        dataset(4),
        advance=lambda: done.append(1),
    )
    assert "".join(log) == "rccrrccr"
    assert len(done) == 4


def test_other_tasks():
    ocr, unknown = Classifier(), Classifier()
    ocr.name, unknown.name = "ocr", "chat"
    with pytest.raises(UsageError, match="fake is a task 'classify', candidate fake a task 'ocr'"):
        compare(Classifier(), ocr, dataset(2))
    with pytest.raises(UsageError, match="no metric for the task 'chat'"):
        compare(unknown, unknown, dataset(2))
