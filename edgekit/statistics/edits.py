"""Edit distance of two texts, in Unicode code points."""

from __future__ import annotations


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
