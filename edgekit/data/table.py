"""JSON lines or CSV: a picture, a text or a question a row, with its truth."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from edgekit.data.multiple_choice import ChoiceQuestion, choice_of, digest_of_choice, right_answer
from edgekit.data.need import Need
from edgekit.data.passage import Passage, digest_of
from edgekit.data.photo import Photo
from edgekit.data.pictures import digest_of_picture
from edgekit.data.question import PhotoQuestion
from edgekit.data.recording import open_recording
from edgekit.data.rows import Place, Row, reread, rows
from edgekit.data.sample import Choice, Source, Truth
from edgekit.data.spec import DataSpec
from edgekit.errors import DataError

_TRUTH_COLUMNS = {
    "label": ("label",),
    "text": ("text",),
    "answers": ("answers", "answer"),
    "boxes": (),
    "none": (),
}
SEPARATOR = "|"


def open_table(spec: DataSpec, need: Need) -> list[Source]:
    """Sources of a table: what a row needs depends on the task.

    - pictures: ``image`` (a path, relative to the table) and, where it is known, ``label`` or ``text``;
    - sounds: ``sound`` (a path, relative to the table) and, where it is known, ``label`` or ``text``;
    - questions: ``image``, ``question`` and ``answer`` or ``answers`` (a list, or a string with ``|`` between);
    - questions of language models: ``question``, ``choices`` (a list of texts) and ``answer``, one of them or its
      number from 0;
    - texts: ``text``; for embeddings ``text`` or ``image``, and ``label``, any name of what belongs together.

    ``group`` names the part of the data that a row belongs to. Other columns are passed over.

    Args:
        spec: the file, with ``crops`` and ``seed`` (crops only of pictures as a whole: not where a row has a
            text or a question).
        need: what the task needs.

    Raises:
        DataError: the table or a picture cannot be read, a row lacks what it needs, an unknown label.
        UsageError: an unknown option.
    """
    spec.refuse_unknown("crops", "seed")
    crops, seed = spec.count("crops", 1, least=1), spec.count("seed", 0)
    picture_sha256 = cache(digest_of_picture)
    found = [_source(row, need, crops, seed, picture_sha256) for row in rows(Path(spec.what))]
    if not found:
        raise DataError(f"{spec.what}: no row in it", f"expected one {' or '.join(need.inputs)} a row")
    return found


def _source(row: Row, need: Need, crops: int, seed: int, picture_sha256: Callable[[Path], str]) -> Source:
    group = _group(row)
    if need.task == "generate" and "choices" in row.fields:
        return _choice(row, group)
    if need.inputs == ("sound",):
        return _recording(row, need, group)
    image, text = _string(row, "image"), _string(row, "text") if "text" in need.inputs else ""
    if text and image:
        raise DataError(f"{row.where}: has 'image' and 'text'", "give one of them a row")
    truth = _truth(row, need)
    if text:
        name = f"{row.place.path.name}:{row.place.line}"
        return Passage(name, digest_of(text), "", partial(_reread_text, row.place), truth, group)
    if not image:
        wanted = {"text": "'text'", "picture": "'image'", "question": "'image'"}
        missing = " or ".join(dict.fromkeys(wanted[kind] for kind in need.inputs))
        raise DataError(f"{row.where}: no {missing}", f"it has {', '.join(row.fields) or 'nothing'}")
    path = row.place.path.parent / image
    question = _string(row, "question") if "question" in need.inputs else ""
    if crops > 1 and (question or not isinstance(truth, int | None)):
        raise DataError(
            f"{row.where}: crops={crops} of pictures with a text or a question",
            "a crop does not show all that it is about",
        )
    if question:
        answers = truth if isinstance(truth, tuple) else None
        return PhotoQuestion(path, f"{image}: {question}", picture_sha256(path), question, answers, group)
    return Photo(path, image, picture_sha256(path), crops, seed, truth, group)


def _recording(row: Row, need: Need, group: str) -> Source:
    sound = _string(row, "sound")
    if not sound:
        raise DataError(f"{row.where}: no 'sound'", f"it has {', '.join(row.fields) or 'nothing'}")
    return open_recording(row.place.path.parent / sound, sound, _truth(row, need), group)


def _choice(row: Row, group: str) -> ChoiceQuestion:
    choice = choice_of(row)
    name = f"{row.place.path.name}:{row.place.line}"
    reread_choice = partial(_reread_choice, row.place)
    return ChoiceQuestion(name, digest_of_choice(choice), reread_choice, right_answer(row, choice), group)


def _reread_choice(place: Place) -> Choice:
    return choice_of(reread(place))


def _reread_text(place: Place) -> str:
    return _string(reread(place), "text")


def _string(row: Row, column: str) -> str:
    value = row.fields.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(f"{row.where}: {column!r} is {value!r}", "expected a string")
    return value


def _group(row: Row) -> str:
    group = row.fields.get("group")
    if group is None:
        return ""
    if isinstance(group, bool) or not isinstance(group, str | int):
        raise DataError(f"{row.where}: 'group' is {group!r}", "expected a name")
    return str(group)


def _truth(row: Row, need: Need) -> Truth:
    own = _TRUTH_COLUMNS[need.truth]
    given = [c for c in own if row.fields.get(c) is not None and (row.fields[c] != "" or c == "text")]
    if not given:
        _refuse_other_truth(row, need)
        return None
    if len(given) > 1:
        raise DataError(f"{row.where}: has {' and '.join(map(repr, given))}", "give one of them")
    value = row.fields[given[0]]
    if need.labels and isinstance(value, str | int) and not isinstance(value, bool):
        return need.labels.find(value, row.where)
    if need.truth == "text" and isinstance(value, str):
        return value
    if need.truth == "answers":
        return _answers(row, given[0])
    raise DataError(
        f"{row.where}: {given[0]!r} is {value!r}", "expected a string" + (" or an index" * bool(need.labels))
    )


def _answers(row: Row, column: str) -> tuple[str, ...]:
    value = row.fields[column]
    if isinstance(value, str):
        return (value,) if column == "answer" else tuple(value.split(SEPARATOR))
    if column == "answers" and isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return tuple(value)
    expected = (
        "a string" if column == "answer" else f"a list of strings, or one with {SEPARATOR} between them"
    )
    raise DataError(f"{row.where}: {column!r} is {value!r}", f"expected {expected}")


def _refuse_other_truth(row: Row, need: Need) -> None:
    """A truth of another kind alone means that the table is for another task; not where texts are inputs."""
    if "text" in need.inputs:
        return
    other = {c for columns in _TRUTH_COLUMNS.values() for c in columns} - set(_TRUTH_COLUMNS[need.truth])
    for column in sorted(other & row.fields.keys()):
        wanted = "no truth" if need.truth == "none" else repr(need.truth)
        raise DataError(f"{row.where}: has {column!r}, this task needs {wanted}", "leave the column out")
