"""Shop, date and total of rendered receipts: a language model on what OCR reads, beside a plain rule.

    python benchmarks/receipts.py ocr.edge smollm2.reference.edge smollm2.edge --n 200 --seed 1

Each picture is read once. Then come the rule, and each language model as `edgekit run OCR --then MODEL` asks it
(`--ask free`: any JSON object of the three fields), or with what it may answer taken from the text (`--ask choice`,
the default: a line without digits above the date, one of the dates, one of the amounts). BUNDLE:VARIANT names a
variant. A field is right if it is the printed one, spaces and capitals aside; a total if it is the same amount.
Differences are paired, to the first model.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.engines.protocol import EngineOptions
from edgekit.machine import this_machine
from edgekit.statistics.paired import tango
from edgekit.statistics.proportion import wilson
from edgekit.tasks.generate import Generate
from edgekit.tasks.question import Question, text_of
from edgekit.tasks.registry import load
from edgekit.types import Frame, TextRegions
from edgekit_export.data.receipts import Fields, render_receipt

NAMES = ("merchant", "date", "total")
FREE = {"merchant": "string", "date": "string", "total": "number"}
DATE = re.compile(
    r"\d{4}-\d\d-\d\d|\d\d[/.]\d\d[/.]\d{4}|\d{1,2} ?[A-Z][a-z]{2} ?\d{4}|[A-Z][a-z]{2} ?\d{1,2}, ?\d{4}"
)
AMOUNT = re.compile(r"(?<![\d.-])\d+\.\d\d(?![\d.])")

EXAMPLES = (
    (
        "INVOICE COPY\nTiny Bikes\n9 Sea View\n2022-07-30\nBell\n6.10\nLock\n12.00\nTotal\n18.10\nVisa\n18.10",
        '{"merchant": "Tiny Bikes", "date": "2022-07-30", "total": 18.10}',
    ),
    (
        "*** RECEIPT ***\nLucky Noodles\n12 Hill Road\nDate: 03/09/2023\n18:20\nNoodle soup\n$8.50\nGreen tea\n$2.00\n"
        "Subtotal\n$10.50\nTax\n$1.05\nTOTAL\n$11.55\nCash\n$20.00\nChange\n$8.45\nThank you!",
        '{"merchant": "Lucky Noodles", "date": "03/09/2023", "total": 11.55}',
    ),
    (
        "FOTO SHOP\nTel 555 2211\n4 Apr 2021\nNo. 88\nFilm\n14.90\nFrame\n22.10\nDiscount\n-5.00\nAmount due\n32.00\n"
        "Visa\n32.00\nReturn by 4 May 2021",
        '{"merchant": "FOTO SHOP", "date": "4 Apr 2021", "total": 32.00}',
    ),
)
"""Shops and goods of no rendered receipt; headings and labels are those of receipts anywhere."""

Answer = Mapping[str, Any]
Extract = Callable[[list[str]], Answer]


@dataclass(frozen=True)
class Reading:
    """A receipt as OCR reads it, and what is printed."""

    lines: list[str]
    truth: Fields


def rule(lines: list[str]) -> Answer:
    """The first line, the first date, and the amount at the first line that begins with "total", else the largest."""
    text = "\n".join(lines)
    date = DATE.search(text)
    at = next((i for i, line in enumerate(lines) if re.match(r"total\b", line, re.IGNORECASE)), None)
    beside = [] if at is None else AMOUNT.findall("\n".join(lines[at : at + 2]))
    amounts = [*beside[-1:], *sorted(AMOUNT.findall(text), key=float, reverse=True)]
    return {
        "merchant": lines[0] if lines else "",
        "date": date[0] if date else "",
        "total": amounts[0] if amounts else "",
    }


def prompt(shots: int, *, quoted: bool) -> str:
    """What a model is asked: examples first, so that they are read once for all receipts."""
    shown = (
        f"Receipt:\n{text}\nJSON: {_quoted(answer) if quoted else answer}\n\n"
        for text, answer in EXAMPLES[:shots]
    )
    return "".join(shown) + "Receipt:\n{text}\nJSON:"


def _quoted(answer: str) -> str:
    """The total as a text, as choices are."""
    return re.sub(r'("total": )([\d.]+)', r'\1"\2"', answer)


def choices(lines: list[str]) -> dict[str, Sequence[str]]:
    """What the fields may be: a line without digits above the first date, a date and an amount of the text."""
    text = "\n".join(lines)
    dated = next((i for i, line in enumerate(lines) if DATE.search(line)), len(lines))
    names = [line for line in lines[:dated] if line and not re.search(r"\d", line)]
    found = names or [line for line in lines if line], DATE.findall(text), AMOUNT.findall(text)
    return {name: tuple(dict.fromkeys(some)) or ("none",) for name, some in zip(NAMES, found, strict=True)}


def asking(model: Generate, ask: str, shots: int) -> Extract:
    """A language model as an extractor."""

    def extract(lines: list[str]) -> Answer:
        fields = FREE if ask == "free" else choices(lines)
        question = Question(prompt(shots, quoted=ask != "free") if shots else "", fields)
        return question.values(question.ask(model, "\n".join(lines))) or {}

    return extract


def right(answer: Answer, truth: Fields) -> dict[str, bool]:
    """Which fields are as printed."""
    same = {name: _plain(str(answer[name])) == _plain(getattr(truth, name)) for name in NAMES[:2]}
    try:
        total = float(str(answer["total"]).replace("$", "").replace(",", ""))
    except ValueError:
        total = -1.0
    return {**same, "total": abs(total - float(truth.total)) < 0.005}


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text).casefold()


def read(ocr: Path, seed: int, n: int, threads: int, kept: Path | None) -> list[Reading]:
    """Receipts as OCR reads them; what was read before is taken from the file, if there is one."""
    known = json.loads(kept.read_text()) if kept is not None and kept.is_file() else []
    task = load(ocr, options=EngineOptions(threads=threads)) if len(known) < n else None
    found = []
    for index in range(n):
        receipt = render_receipt(seed, index)
        if index >= len(known) and task is not None:
            result = task(Frame(receipt.image, "rgb"))
            assert isinstance(result, TextRegions)
            known.append(text_of(result).split("\n"))
            if kept is not None:
                kept.write_text(json.dumps(known))
        found.append(Reading(known[index], receipt.fields))
    return found


def told(
    name: str, rights: list[dict[str, bool]], base: list[dict[str, bool]] | None, seconds: list[float]
) -> str:
    """A row of the table."""
    cells = []
    for field in (*NAMES, "all"):
        mine = [_of(one, field) for one in rights]
        share, interval = sum(mine) / len(mine), wilson(sum(mine), len(mine)).scaled(100)
        cell = f"{100 * share:.1f} [{interval.low:.1f}, {interval.high:.1f}]"
        if base is not None:
            theirs = [_of(one, field) for one in base]
            lost = sum(b and not a for a, b in zip(mine, theirs, strict=True))
            gained = sum(a and not b for a, b in zip(mine, theirs, strict=True))
            drop = tango(lost, gained, len(mine)).scaled(100)
            cell += f"; {100 * (gained - lost) / len(mine):+.1f} [{-drop.high:+.1f}, {-drop.low:+.1f}]"
        cells.append(cell)
    return f"| {name} | {' | '.join(cells)} | {statistics.median(seconds):.3f} |"


def _of(one: dict[str, bool], field: str) -> bool:
    return all(one.values()) if field == "all" else one[field]


def main() -> int:
    """Reads, asks and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ocr", type=Path)
    parser.add_argument("models", nargs="+", metavar="BUNDLE[:VARIANT]")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ask", choices=("free", "choice"), default="choice")
    parser.add_argument("--shots", type=int, choices=range(4), default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lines", type=Path, help="keeps what OCR read")
    args = parser.parse_args()
    readings = read(args.ocr, args.seed, args.n, args.threads, args.lines)
    print(f"{this_machine().model}, {args.threads} threads; {args.n} receipts of seed {args.seed}; ", end="")
    print(f"asked {args.ask}, {args.shots} examples; per cent right [95 %]; difference to the first model\n")
    print(f"| | {' | '.join(NAMES)} | all three | s each |\n|---|{'---|' * 5}")
    table: dict[str, tuple[list[dict[str, bool]], list[float]]] = {"rule": _measured(rule, readings)}
    print(told("rule", table["rule"][0], None, table["rule"][1]), flush=True)
    base = None
    for name in args.models:
        path, _, variant = name.partition(":")
        model = load(Path(path), variant or None, options=EngineOptions(threads=args.threads))
        assert isinstance(model, Generate)
        rights, seconds = _measured(asking(model, args.ask, args.shots), readings)
        print(told(f"{Path(path).name} {model.variant}", rights, base, seconds), flush=True)
        base = base or rights
    return 0


def _measured(extract: Extract, readings: list[Reading]) -> tuple[list[dict[str, bool]], list[float]]:
    rights, seconds = [], []
    for reading in readings:
        start = time.perf_counter()
        answer = extract(reading.lines)
        seconds.append(time.perf_counter() - start)
        rights.append(right(answer, reading.truth))
    return rights, seconds


if __name__ == "__main__":
    sys.exit(main())
