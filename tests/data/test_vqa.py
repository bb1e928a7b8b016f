import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgekit.data.dataset import open_data, refuse_overlap
from edgekit.errors import DataError, UsageError
from edgekit.types import Question

QUESTIONS = {
    "data_subtype": "val2014",
    "questions": [
        {"image_id": 42, "question": "What is it?", "question_id": 420},
        {"image_id": 42, "question": "How many?", "question_id": 421},
        {"image_id": 5, "question": "What is it?", "question_id": 50},
    ],
}


def people(*answers):
    return [{"answer": a, "answer_id": i, "answer_confidence": "yes"} for i, a in enumerate(answers)]


ANNOTATIONS = {
    "annotations": [
        {"question_id": 50, "answers": people("a", "a", "b"), "multiple_choice_answer": "a"},
        {"question_id": 420, "answers": people(*["cat"] * 5, *["kitten"] * 3, "dog", "dog")},
        {"question_id": 421, "multiple_choice_answer": "2"},
    ]
}


@pytest.fixture
def vqa(tmp_path, draw, write_json):
    draw(tmp_path / "pictures" / "COCO_val2014_000000000042.jpg", 1)
    draw(tmp_path / "pictures" / "000000000005.png", 2)

    def make(change=lambda questions, annotations: None):
        questions, annotations = copy.deepcopy((QUESTIONS, ANNOTATIONS))
        change(questions["questions"], annotations["annotations"])
        write_json(tmp_path / "q" / "annotations.json", annotations)
        return f"{write_json(tmp_path / 'q' / 'questions.json', questions)}?annotations=annotations.json"

    return make


def opened(spec):
    return open_data([spec], "vision_language")


def test_questions_with_what_everyone_said(vqa):
    data = opened(vqa())
    assert data.truth == "answers"
    assert [(s.id, s.truth) for s in data] == [
        ("COCO_val2014_000000000042.jpg 420: What is it?", ("cat",) * 5 + ("kitten",) * 3 + ("dog",) * 2),
        ("COCO_val2014_000000000042.jpg 421: How many?", ("2",)),
        ("000000000005.png 50: What is it?", ("a", "a", "b")),
    ]
    asked = [s.load() for s in data]
    assert all(isinstance(a, Question) for a in asked)
    assert asked[1].text == "How many?"
    assert asked[1].frame.size_wh == (64, 48)
    assert [s.frame.name for s in data][2] == "000000000005.png"
    one, two, three = (s.cluster for s in data)
    assert one == two != three


def test_without_annotations_nothing_is_known(vqa):
    data = opened(vqa().partition("?")[0])
    assert data.truth == "none"
    assert [s.truth for s in data] == [None] * 3


def test_digest_follows_questions_and_answers(vqa):
    plain = opened(vqa()).sha256
    asked = opened(vqa(lambda q, a: q[0].update(question="What?"))).sha256
    answered = opened(vqa(lambda q, a: a[2].update(multiple_choice_answer="3"))).sha256
    assert len({plain, asked, answered, opened(vqa().partition("?")[0]).sha256}) == 4


def test_overlap_by_picture(vqa, tmp_path):
    with pytest.raises(DataError, match="share 1 of 2"):
        photo = open_data([str(tmp_path / "pictures" / "000000000005.png")], "classify")
        refuse_overlap(photo.digests, opened(vqa()).digests)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda q, a: q.clear(), "no question in it"),
        (
            lambda q, a: q[1].update(question=3),
            r"Expected `str`, got `int` - at `\$.questions\[1\].question`",
        ),
        (lambda q, a: q[2].update(image_id=6), "no picture of image 6, e.g. 6.jpg"),
        (lambda q, a: q[2].update(image_id="../5"), "no picture of image ../5"),
        (lambda q, a: q[2].update(question_id=7), "question 7 has no annotation"),
        (lambda q, a: a[0].update(answers=[], multiple_choice_answer=""), "question 50 has no answer"),
        (lambda q, a: a[0].update(question_id=420), "two annotations of question 420"),
        (lambda q, a: a[0].update(answers=["a"]), r"annotations.json: .*annotations\[0\].answers"),
    ],
)
def test_refused(vqa, change, message):
    with pytest.raises(DataError, match=message):
        opened(vqa(change))


def test_names_of_pictures_that_are_texts(tmp_path, draw, write_json):
    draw(tmp_path / "00a8.png")
    spec = write_json(
        tmp_path / "q.json", {"questions": [{"image_id": "00a8", "question": "?", "question_id": 1}]}
    )
    assert [s.frame.name for s in opened(str(spec))] == ["00a8.png"]


def test_files_that_are_missing_or_foreign(vqa, tmp_path):
    spec = vqa()
    (tmp_path / "q" / "annotations.json").unlink()
    with pytest.raises(DataError, match=r"annotations=annotations\.json: no such file"):
        opened(spec)
    with pytest.raises(DataError, match="missing required field `annotations`"):
        opened(spec.replace("=annotations", "=questions"))
    with pytest.raises(UsageError, match=r"no option 'frames' here \(expected annotations, images\)"):
        opened(f"{spec}&frames=2")


ANY = st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers(), max_size=1)


@given(st.sampled_from(["image_id", "question", "question_id", "answers", "multiple_choice_answer"]), ANY)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_value_is_replaced_by_is_read_or_refused(vqa, key, value):
    def change(questions, annotations):
        (questions if key in questions[0] else annotations)[0][key] = value

    try:
        [sample.load() for sample in opened(vqa(change))]
    except DataError as error:
        assert str(error)
