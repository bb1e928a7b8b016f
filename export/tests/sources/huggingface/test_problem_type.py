from types import SimpleNamespace

import pytest

from edgekit.errors import ModelError
from edgekit_export.sources.huggingface.problem_type import activation_of


def told(config):
    return activation_of(SimpleNamespace(config=config, origin="owner/name"))


def test_one_label_holds_unless_several_may():
    assert told({}) == told({"problem_type": None}) == "softmax"
    assert told({"problem_type": "single_label_classification"}) == "softmax"
    assert told({"problem_type": "multi_label_classification"}) == "sigmoid"


@pytest.mark.parametrize("problem", ["regression", "", 1, ["single_label_classification"], {}])
def test_others_are_no_scores_of_labels(problem):
    with pytest.raises(ModelError, match=r"owner/name: config.json: problem_type: expected one of single_"):
        told({"problem_type": problem})
