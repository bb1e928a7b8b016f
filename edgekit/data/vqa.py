"""VQA v2's questions and annotations about pictures (Goyal et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

from edgekit.data.image_folder import beside, image_folder
from edgekit.data.json_file import read_json
from edgekit.data.pictures import digest_of_picture
from edgekit.data.question import PhotoQuestion
from edgekit.data.spec import DataSpec
from edgekit.errors import DataError


class _Question(msgspec.Struct, gc=False):
    question_id: int
    image_id: int | str
    question: str


class _Questions(msgspec.Struct):
    questions: list[_Question]
    data_subtype: str = ""


class _Answer(msgspec.Struct, gc=False):
    answer: str


class _Annotation(msgspec.Struct):
    question_id: int
    answers: list[_Answer] = []
    multiple_choice_answer: str = ""


class _Annotations(msgspec.Struct):
    annotations: list[_Annotation]


def open_vqa(spec: DataSpec) -> list[PhotoQuestion]:
    """Sources of ``questions.json?annotations=annotations.json&images=FOLDER``: one a question.

    The truth is what each of the people asked said (ten in VQA v2), in order and with repetitions, so that
    their number can be told; where they are not listed, the ``multiple_choice_answer``. Without
    ``annotations`` nothing is known. All questions and answers are held in memory.

    Args:
        spec: the file, with ``annotations``, and ``images``, the folder of the pictures; see
            :func:`edgekit.data.image_folder.image_folder`.

    Raises:
        DataError: a file is not of this form, a question has no answer or no picture.
        UsageError: an unknown option.
    """
    spec.refuse_unknown("annotations", "images")
    path = Path(spec.what)
    content = read_json(path, _Questions, "VQA's questions: question_id, image_id and question of each")
    if not content.questions:
        raise DataError(f"{path}: no question in it")
    answers = _answers(beside(spec, "annotations"))
    part = content.data_subtype
    first = content.questions[0].image_id
    folder = image_folder(spec, lambda p: _picture(p, first, part) is not None)
    picture, picture_sha256 = cache(_picture), cache(digest_of_picture)
    found = []
    for question in content.questions:
        image = picture(folder, question.image_id, part)
        if image is None:
            raise DataError(
                f"{folder}: no picture of image {question.image_id}, e.g. {question.image_id}.jpg"
            )
        if answers is not None and question.question_id not in answers:
            raise DataError(f"{spec.text}: question {question.question_id} has no annotation")
        name = f"{image.name} {question.question_id}: {question.question}"
        known = None if answers is None else answers[question.question_id]
        found.append(PhotoQuestion(image, name, picture_sha256(image), question.question, known))
    return found


def _answers(path: Path | None) -> Mapping[int, tuple[str, ...]] | None:
    """Accepted answers by question."""
    if path is None:
        return None
    content = read_json(path, _Annotations, "VQA's annotations: question_id and answers of each")
    accepted: dict[int, tuple[str, ...]] = {}
    for annotation in content.annotations:
        said = tuple(answer.answer for answer in annotation.answers) or (annotation.multiple_choice_answer,)
        if not any(said):
            raise DataError(f"{path}: question {annotation.question_id} has no answer")
        if annotation.question_id in accepted:
            raise DataError(f"{path}: two annotations of question {annotation.question_id}")
        accepted[annotation.question_id] = said
    return accepted


def _picture(folder: Path, image_id: int | str, part: str) -> Path | None:
    return next((p for p in _names(folder, image_id, part) if p.is_file()), None)


def _names(folder: Path, image_id: int | str, part: str) -> Iterator[Path]:
    """How COCO 2014, COCO 2017 and others name the picture of an id."""
    stems = [str(image_id)]
    if isinstance(image_id, int):
        stems = [f"COCO_{part}_{image_id:012}", f"{image_id:012}", str(image_id)]
    for stem in stems:
        if stem == Path(stem).name and "\0" not in stem:
            yield from (folder / f"{stem}{suffix}" for suffix in (".jpg", ".jpeg", ".png"))
