import copy
import json
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgekit.data.dataset import open_data, refuse_overlap
from edgekit.errors import DataError, UsageError

LABELS = ("cat", "dog", "motorbike")
CONTENT = {
    "info": {"year": 2017},
    "images": [
        {"id": 7, "file_name": "b.png", "width": 64, "height": 48},
        {"id": 3, "file_name": "a.png", "width": 64, "height": 48},
    ],
    "annotations": [
        {"id": 1, "image_id": 3, "category_id": 18, "bbox": [1.5, 2, 10, 20.25], "segmentation": [[1]]},
        {"id": 2, "image_id": 3, "category_id": 4, "bbox": [0, 0, 64, 0], "iscrowd": 1, "area": 5},
    ],
    "categories": [
        {"id": 4, "name": "motorcycle", "supercategory": "vehicle"},
        {"id": 18, "name": "dog"},
        {"id": 90, "name": "toothbrush"},
    ],
}


@pytest.fixture
def coco(tmp_path, draw, write_json):
    draw(tmp_path / "val" / "a.png", 1)
    draw(tmp_path / "val" / "b.png", 2)

    def make(change=lambda content: None):
        content = copy.deepcopy(CONTENT)
        change(content)
        return str(write_json(tmp_path / "annotations" / "instances.json", content))

    return make


def opened(spec, labels=LABELS):
    return open_data([spec], "detect", labels)


def test_boxes_in_the_order_of_images(coco):
    data = opened(coco())
    one, two = data
    assert (data.truth, one.id, two.id) == ("boxes", "b.png", "a.png")
    assert (one.truth.xyxy.shape, one.truth.index.tolist(), one.truth.crowd.tolist()) == ((0, 4), [], [])
    assert two.truth.xyxy.tolist() == [[1.5, 2, 11.5, 22.25], [0, 0, 64, 0]]
    assert two.truth.xyxy.dtype == np.float32
    assert two.truth.index.tolist() == [1, 2]
    assert two.truth.index.dtype == np.int32
    assert two.truth.crowd.tolist() == [False, True]
    assert two.frame.size_wh == (64, 48)
    assert one.cluster != two.cluster


def test_digest_follows_boxes_and_classes_but_not_places(coco, tmp_path, draw):
    plain = opened(coco()).sha256
    draw(tmp_path / "elsewhere" / "a.png", 1)
    draw(tmp_path / "elsewhere" / "b.png", 2)
    assert opened(f"{coco()}?images={tmp_path}/elsewhere").sha256 == plain
    shutil.rmtree(tmp_path / "elsewhere")
    moved = opened(coco(lambda c: c["annotations"][0].update(bbox=[1.5, 2, 10, 20.5]))).sha256
    other = opened(coco(), ("dog", "cat", "motorbike")).sha256
    crowd = opened(coco(lambda c: c["annotations"][0].update(iscrowd=1))).sha256
    assert len({plain, moved, other, crowd}) == 4


def test_overlap_with_the_photos_themselves(coco, tmp_path):
    with pytest.raises(DataError, match="share 1 of 2"):
        photos = open_data([str(tmp_path / "val" / "a.png")], "detect", LABELS)
        refuse_overlap(photos.digests, opened(coco()).digests)


def test_where_the_pictures_lie(coco, tmp_path, draw, monkeypatch):
    spec = coco()
    monkeypatch.chdir(tmp_path)
    assert len(opened(f"{spec}?images=val")) == len(opened(f"{spec}?images=../val")) == 2
    with pytest.raises(DataError, match=r"images=vla: no such file or folder \(give the whole path\)"):
        opened(f"{spec}?images=vla")
    with pytest.raises(DataError, match="expected a folder"):
        opened(f"{spec}?images=instances.json")
    draw(tmp_path / "annotations" / "val" / "b.png", 2)
    with pytest.raises(DataError, match="images=val: there are two: .*/val and .*/annotations/val"):
        opened(f"{spec}?images=val")
    with pytest.raises(
        DataError, match=r"several folders have its pictures: .*instances.json\?images=FOLDER"
    ):
        opened(spec)


def test_pictures_beside_it_or_nowhere(tmp_path, draw, write_json):
    spec = str(write_json(tmp_path / "x" / "y" / "instances.json", CONTENT))
    with pytest.raises(DataError, match="no folder beside it has its pictures"):
        opened(spec)
    draw(tmp_path / "x" / "y" / "b.png", 1)
    with pytest.raises(DataError, match=r"y/a\.png: No such file"):
        opened(spec)
    draw(tmp_path / "x" / "y" / "a.png", 1)
    assert len(opened(spec)) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["images"].clear(), "no picture in it"),
        (lambda c: c.pop("images"), r"missing required field `images` \(expected COCO's instances"),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, 3]), r"length 4.*annotations\[1\].bbox"),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, 3, "4"]), r"annotations\[1\].bbox\[3\]"),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, -3, 4]), r"annotation 1: bbox is \[1.0, 2.0, -3.0"),
        (lambda c: c["annotations"][1].update(bbox=[1, 2, 3e9, 4]), "annotation 1: bbox is"),
        (lambda c: c["annotations"][1].update(iscrowd=2), "annotation 1: iscrowd is 2, expected 0 or 1"),
        (lambda c: c["annotations"][1].update(image_id=4), "annotation 1: of image 4, which is none"),
        (lambda c: c["annotations"][1].update(category_id=5), "annotations of category 5, which is none"),
        (
            lambda c: c["annotations"][1].update(category_id=90),
            r"not know the label 'toothbrush' \(3 classes",
        ),
        (lambda c: c["images"][1].update(id=7), "two images have the id 7"),
        (lambda c: c["categories"][1].update(id=4), "two categories have the id 4"),
        (lambda c: c["images"][0].update(file_name="../b.png"), "file_name is '../b.png'"),
        (lambda c: c["images"][0].update(file_name="/etc/b.png"), "file_name is '/etc/b.png'"),
        (lambda c: c["images"][0].update(file_name=""), "file_name is ''"),
        (lambda c: c["images"][0].update(file_name="a\0b"), "file_name is"),
        (lambda c: c["images"][1].update(file_name="x" * 5000), "File name too long"),
    ],
)
def test_refused(coco, change, message):
    with pytest.raises(DataError, match=message):
        opened(coco(change))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"images": 1e999}'])
def test_not_coco_at_all(tmp_path, content):
    path = tmp_path / "instances.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"instances\.json: .*expected COCO's instances"):
        opened(str(path))


def test_other_tasks_and_options(coco):
    with pytest.raises(UsageError, match=r"no option 'crops' here \(expected images\)"):
        opened(f"{coco()}?crops=2")
    with pytest.raises(
        DataError, match=r"JSON has boxes \(COCO\) or answers \(VQA\), none for the task 'classify'"
    ):
        open_data([coco()], "classify", LABELS)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(data=st.data(), value=ANY)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_value_is_replaced_by_is_read_or_refused(coco, data, value):
    def change(content):
        at = content
        while True:
            keys = sorted(at) if isinstance(at, dict) else range(len(at))
            key = data.draw(st.sampled_from(list(keys)))
            if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
                at[key] = value
                return
            at = at[key]

    try:
        [sample.load() for sample in opened(coco(change))]
    except (DataError, UsageError) as error:
        assert str(error)


@given(st.binary(max_size=8), st.integers(0, 10_000))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_broken_bytes_are_read_or_refused(coco, tmp_path, put, where):
    spec = coco()
    path = tmp_path / "annotations" / "instances.json"
    content = json.dumps(CONTENT).encode()
    where %= len(content)
    path.write_bytes(content[:where] + put + content[where + len(put) :])
    try:
        opened(spec)
    except (DataError, UsageError) as error:
        assert str(error)


def test_real(test_data):
    folder = test_data / "coco"
    labels = (test_data / "fastestdet" / "coco.names").read_text().split("\n")[:80]
    for part, pictures, objects, crowds in (("val2017", 79, 624, 5), ("train2017", 80, 739, 8)):
        data = opened(str(folder / "annotations" / f"instances_{part}.json"), labels)
        truths = [sample.truth for sample in data]
        assert len(data) == pictures
        assert sum(len(t.index) for t in truths) == objects
        assert sum(int(t.crowd.sum()) for t in truths) == crowds
    for sample in data.limited(5):
        width, height = sample.frame.size_wh
        assert (sample.truth.xyxy[:, 2] <= width + 1).all()
        assert (sample.truth.xyxy[:, 3] <= height + 1).all()
