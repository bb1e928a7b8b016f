import pytest
from onnx import ModelProto

from edgekit.errors import DataError, ModelError
from edgekit_export.sources.assets import imagenet_labels, onnx_characters

FOLDER = "timm/data/_info/"


def test_labels_come_in_the_order_of_the_classes():
    lemmas = "n01\ttench, Tinca tinca\nn03\tcrane\nn02\tBrittany spaniel\tétagneul\n"
    files = {
        FOLDER + "imagenet_synsets.txt": b"n02\nn01\n",
        FOLDER + "imagenet_synset_to_lemma.txt": lemmas.encode(),
    }
    assert imagenet_labels(files.__getitem__).decode() == "Brittany spaniel\tétagneul\ntench, Tinca tinca\n"


@pytest.mark.parametrize("lemmas", [b"n02\tcrane\n", b"n01 without a tab\n"])
def test_a_class_without_a_name(lemmas):
    files = {FOLDER + "imagenet_synsets.txt": b"n01\n", FOLDER + "imagenet_synset_to_lemma.txt": lemmas}
    with pytest.raises(DataError, match="n01"):
        imagenet_labels(files.__getitem__)


def model(**metadata):
    made = ModelProto()
    for key, value in metadata.items():
        made.metadata_props.add(key=key, value=value)
    return made.SerializeToString()


def test_an_alphabet_in_the_metadata():
    assert onnx_characters(model(shape="48", character="a\n字\n "), "m.onnx").decode() == "a\n字\n \n"


def test_a_model_without_an_alphabet():
    with pytest.raises(ModelError, match=r"m\.onnx: expected its alphabet in the metadata key 'character'"):
        onnx_characters(model(shape="48"), "m.onnx")


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"a text file\n"])
def test_what_is_no_model(data):
    with pytest.raises(ModelError, match=r"m\.onnx: is no ONNX model"):
        onnx_characters(data, "m.onnx")
