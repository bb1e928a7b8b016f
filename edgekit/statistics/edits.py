"""Edit distance of texts, in Unicode code points: of two lines, and of two pages of lines."""

from __future__ import annotations

from collections.abc import Sequence


def edit_distance(first: str, second: str) -> int:
    """Levenshtein distance: the fewest insertions, deletions and substitutions that make one of the other.

    Bit-parallel: one column of the dynamic programme is two integers of ``len(first)`` bits (Myers, J. ACM
    46, 1999, in Hyyrö's form, 2003), so a line of text costs microseconds.
    """
    if first == second:
        return 0
    if not first or not second:
        return len(first) + len(second)
    where: dict[str, int] = {}
    for i, char in enumerate(first):
        where[char] = where.get(char, 0) | 1 << i
    mask, last = (1 << len(first)) - 1, 1 << (len(first) - 1)
    up, down = mask, 0  # where the column rises and falls from one cell to the next
    distance = len(first)
    for char in second:
        match = where.get(char, 0)
        diagonal = (((match & up) + up) ^ up) | match | down
        right_up = down | ~(diagonal | up) & mask
        right_down = diagonal & up
        distance += bool(right_up & last) - bool(right_down & last)
        right_up = right_up << 1 | 1
        up = (right_down << 1 | ~(diagonal | right_up)) & mask
        down = diagonal & right_up & mask
    return distance


def page_edits(first: Sequence[str], second: Sequence[str], between: str = " ") -> int:
    """Edits between two pages of lines: in whatever order the lines come, or read on as one text.

    The lesser of two counts. One reads each page as one text, its lines joined, so that a line found in two
    pieces costs nothing. The other pairs lines one to one, the pair that saves most edits over deleting
    one and inserting the other first (ties: earlier lines first), and deletes or inserts whole what stays
    alone, so that a region found a pixel higher, which changes the reading order, costs nothing.
    """
    savings = sorted(
        (edit_distance(a, b) - len(a) - len(b), i, j)
        for i, a in enumerate(first)
        for j, b in enumerate(second)
    )
    edits = sum(map(len, first)) + sum(map(len, second))
    taken: tuple[set[int], set[int]] = (set(), set())
    for saving, i, j in savings:
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            edits += saving
    return min(edits, edit_distance(between.join(first), between.join(second)))
