"""Beginnings that a language model can only go on with in one way, for its golden vectors.

What it says of them is clear by several units of its scores, where of a sentence it is by tenths: the last bits of
another processor's arithmetic change a sentence's continuation, and not these.
"""

from __future__ import annotations

SEQUENCES = (
    "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,",
    "10 20 30 40 50 60 70 80 90 100 10 20 30 40 50 60 70 80 90 100 10 20 30 40",
    "001 002 003 004 005 006 007 008 009 010 011 012 013 014",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m",
    "2 4 6 8 10 12 14 16 18 20 22 24 26 28 30",
    "The alphabet: A B C D E F G H I J K L M N O P Q R S T U V W X Y Z. The alphabet again:",
    "x = 1; x = 2; x = 3; x = 4; x = 5; x = 6; x = 7;",
    "Mon Tue Wed Thu Fri Sat Sun Mon Tue Wed Thu Fri Sat Sun Mon Tue Wed",
    "January, February, March, April, May, June, July, August, September, October, November, December, January,",
    "<b>one</b><b>two</b><b>three</b><b>four</b><b>five</b>",
    "100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,",
    "A1 A2 A3 A4 A5 A6 A7 A8 A9 B1 B2 B3 B4 B5 B6 B7 B8 B9 C1 C2 C3",
)


def sequence(seed: int) -> str:
    """The beginning of that number; they begin again after the last one."""
    return SEQUENCES[seed % len(SEQUENCES)]
