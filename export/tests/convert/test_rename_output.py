import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.rename_output import rename_output
from edgekit_export.convert.session import session_of


def test_the_output_gets_its_name(small_classifier):
    model = small_classifier()
    rename_output(model, "scores")
    assert [spec.name for spec in session_of(model).outputs] == ["scores"]
    rename_output(model, "scores")


def test_names_that_are_taken(small_classifier):
    with pytest.raises(ModelError, match="named 'c0' already"):
        rename_output(small_classifier(), "c0")


def test_several_outputs(small_classifier):
    model = small_classifier()
    model.graph.output.add().CopyFrom(model.graph.output[0])
    model.graph.output[1].name = "r0"
    with pytest.raises(ModelError, match="one output, got 2: logits, r0"):
        rename_output(model, "scores")
