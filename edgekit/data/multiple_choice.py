"""A question with answers to choose from as a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgekit.data.passage import digest_of
from edgekit.data.rows import Row
from edgekit.data.sample import Choice, Truth
from edgekit.data.undivided import Undivided
from edgekit.errors import DataError

MOST_ANSWERS = 64
"""To one question."""


@dataclass(frozen=True, slots=True)
class ChoiceQuestion(Undivided):
    """One question, read when it is asked for; see :class:`edgekit.data.sample.Source`.

    Attributes:
        sha256: digest of the question and its answers.
        read: gives them again.
        known: number of the right answer, from 0.
        group: the part of the data it belongs to.
    """

    id: str
    sha256: str
    read: Callable[[], Choice]
    known: Truth
    group: str = ""

    def _load(self) -> Choice:
        choice = self.read()
        if digest_of_choice(choice) != self.sha256:
            raise DataError(f"{self.id}: the question has changed since it was opened")
        return choice


def digest_of_choice(choice: Choice) -> str:
    """SHA-256 of a question with its answers."""
    return digest_of("\0".join((choice.question, *choice.answers)))


def choice_of(row: Row) -> Choice:
    """Question and answers of a row: an answer that does not begin with white space follows behind a space.

    Raises:
        DataError: no question, no list of answers, or one of them is empty.
    """
    question, answers = row.fields.get("question"), row.fields.get("choices")
    if not isinstance(question, str) or not question.strip():
        raise DataError(f"{row.where}: 'question' is {question!r}", "expected a text")
    if (
        not isinstance(answers, list)
        or not 2 <= len(answers) <= MOST_ANSWERS
        or not all(isinstance(answer, str) and answer.strip() for answer in answers)
    ):
        raise DataError(
            f"{row.where}: 'choices' is {str(answers)[:80]}", f"expected a list of 2 to {MOST_ANSWERS} texts"
        )
    if len({answer.strip() for answer in answers}) < len(answers):
        raise DataError(f"{row.where}: two of the 'choices' are equal")
    before = question.rstrip(" ")
    return Choice(before, tuple(a if a[0].isspace() else _between(before) + a for a in answers))


def _between(question: str) -> str:
    return "" if question[-1].isspace() else " "


def right_answer(row: Row, choice: Choice) -> int:
    """Number of the right one, from 0, which the row's ``answer`` names by number or by its text.

    Raises:
        DataError: it names none of them.
    """
    answer = row.fields.get("answer")
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choice.answers):
        return answer
    texts = [text.strip() for text in choice.answers]
    if isinstance(answer, str) and answer.strip() in texts:
        return texts.index(answer.strip())
    raise DataError(
        f"{row.where}: 'answer' is {answer!r}",
        f"expected one of the choices, or its number from 0 to {len(texts) - 1}",
    )
