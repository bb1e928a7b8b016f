"""What a model that answers beside the loop costs the loop.

    python benchmarks/cascade.py detect.edge vlm.edge clip.mp4 --prompt "What is it?" --seconds 30
    python benchmarks/cascade.py detect.edge vlm.edge clip.mp4 --settings nice=0,way=0 nice=10,way=0 nice=10 alone

The loop runs on; in every other second each frame triggers a question, in the others none does, and no picture is
reused. So frames on whose way an answer was being made stand beside frames of the same clip and the same minute on
whose way none was: the ratio is of the 95th percentiles of their latency, arrival to end of sink. Quarters of a second
in which other processes took more than ``--others`` of the machine are left out of both. The setting ``alone`` asks
nothing and compares the same seconds with each other: what the comparison itself is worth.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import edgekit.cascade
from edgekit.answerer import Answerer, Asking
from edgekit.camera.spec import open_source
from edgekit.cascade import GIVE_WAY_S, NICENESS, Cascade
from edgekit.engines.protocol import EngineOptions
from edgekit.events import AnswerTold, FrameDone, Observer
from edgekit.gaps import Gaps
from edgekit.loop import Loop, LoopOptions
from edgekit.machine import this_machine
from edgekit.processing.grammar import parse_fields
from edgekit.processing.thumbnail import Thumbnail
from edgekit.sinks.tee import Tee
from edgekit.tasks.generate import Generate
from edgekit.tasks.protocol import Task
from edgekit.tasks.question import Question
from edgekit.tasks.registry import default_threads, load
from edgekit.triggers import Match, Triggers
from edgekit.types import Result

NS_PER_S = 10**9
BLOCK_NS = NS_PER_S // 4
JIFFIES_PER_S = 100
STAT = Path("/proc/stat")


class EveryOtherSecond(Triggers):
    """Asks about every frame, in seconds of an odd number."""

    def decide(self, result: Result, look: Callable[[], Thumbnail], now_ns: int) -> Match | None:
        """Whether it is such a second."""
        return Match("odd") if odd(now_ns) else None


def odd(now_ns: int) -> bool:
    """Whether a time lies in a second of an odd number."""
    return now_ns // NS_PER_S % 2 == 1


class Times(Observer):
    """When frames arrived and were done, when answers began and ended, and what others did meanwhile."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, int]] = []
        self.answers: list[tuple[int, int]] = []
        self._began: dict[int, int] = {}
        self._work: list[tuple[int, float, float]] = []

    def frame_done(self, event: FrameDone) -> None:
        """Keeps a frame's times; looks what the machine does, now and then."""
        arrived_ns = event.outcome.frame.arrived_ns
        self.frames.append((arrived_ns, arrived_ns + event.stages_ns["total"]))
        now_ns = time.perf_counter_ns()
        if not self._work or now_ns - self._work[-1][0] > BLOCK_NS:
            self._work.append((now_ns, busy_s(), time.process_time()))

    def answer_told(self, event: AnswerTold) -> None:
        """Keeps an answer's."""
        began_ns = self._began.setdefault(event.number, event.at_ns)
        if event.finished:
            self.answers.append((began_ns, event.at_ns))

    def quiet(self, most: float) -> list[tuple[int, int]]:
        """Stretches in which others took at most this share of the machine."""
        cores = default_threads()
        found = []
        for (start, busy, own), (end, busy_after, own_after) in zip(self._work, self._work[1:], strict=False):
            others = (busy_after - busy) - (own_after - own)
            if others <= most * cores * (end - start) / NS_PER_S:
                found.append((start, end))
        return found

    def stretches_ms(self, most: float, asks: bool) -> list[tuple[list[float], list[float]]]:
        """Of each quiet stretch latencies beside answers and without; ``alone``: of odd seconds and of even ones."""
        found = []
        for low, high in self.quiet(most):
            beside: list[float] = []
            without: list[float] = []
            for start, end in self.frames:
                if low <= start and end <= high:
                    overlaps = any(begun < end and done > start for begun, done in self.answers)
                    (beside if (overlaps if asks else odd(start)) else without).append((end - start) / 1e6)
            found.append((beside, without))
        return found


def busy_s() -> float:
    """Seconds of work of all cores since the start."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, STAT.read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + irq + softirq) / JIFFIES_PER_S


class NoGaps(Gaps):
    """Knows nothing of the next frame."""

    def admit(self, call_ns: int, now_ns: int) -> bool:
        """Whether a call is to begin now: always."""
        return True


class Setting:
    """How the model runs: ``nice=10,threads=1,way=50,fit=1,switch=5``, or ``alone``.

    ``way`` is how many ms a call waits for the loop at most, ``fit=0`` begins calls that do not end before the next
    frame, and ``switch`` is for how many ms a thread may keep Python's lock.
    """

    def __init__(self, text: str) -> None:
        self.name, self.asks = text, text != "alone"
        pairs = dict(part.split("=") for part in text.split(",") if part and self.asks)
        self.nice = int(pairs.pop("nice", NICENESS))
        self.threads = int(pairs.pop("threads", max(default_threads() - 1, 1)))
        self.way_s = float(pairs.pop("way", GIVE_WAY_S * 1e3)) / 1e3
        self.fits = bool(int(pairs.pop("fit", 1)))
        self.switch_s = float(pairs.pop("switch", 5)) / 1e3
        if pairs:
            sys.exit(f"--settings {text}: nice, threads, way, fit, switch, or alone")


def run(args: argparse.Namespace, gate: Task, setting: Setting) -> Times:
    """One run of the loop."""

    def answerer() -> Answerer:
        model = load(args.model, args.model_variant, options=EngineOptions(threads=setting.threads))
        assert isinstance(model, Generate)
        fields = {} if args.fields is None else parse_fields(args.fields)
        question = Question(args.prompt or "", fields, args.max_tokens, picture=True)
        return Answerer(model, Asking(question, reuse_below=0.0))

    edgekit.cascade.NICENESS, edgekit.cascade.GIVE_WAY_S = setting.nice, setting.way_s
    times, before_s = Times(), sys.getswitchinterval()
    cascade = Cascade(
        answerer,
        EveryOtherSecond([]) if setting.asks else Triggers([]),
        gaps=Gaps() if setting.fits else NoGaps(),
    )
    cascade.observer = times
    source = open_source(args.source)
    options = LoopOptions(frames=round((source.fps or 30) * args.seconds))
    try:
        cascade.start()
        sys.setswitchinterval(setting.switch_s)
        Loop(source, gate, Tee(), options, observers=[times, cascade]).run(warm_up=True)
    finally:
        summary = cascade.end()
        sys.setswitchinterval(before_s)
    if summary.fates["failed"]:
        sys.exit(f"the model failed: {summary.errors}")
    return times


def wait_for_quiet(most: float, until_s: float) -> None:
    """Returns when others take at most this share of the machine for a second, or when it is this late."""
    while time.monotonic() < until_s:
        busy, own = busy_s(), time.process_time()
        time.sleep(1)
        if (busy_s() - busy) - (time.process_time() - own) <= most * default_threads():
            return


def enough(stretches: list[tuple[list[float], list[float]]], frames: int) -> bool:
    """Whether there are so many frames beside answers, and without."""
    return all(sum(len(one[side]) for one in stretches) >= frames for side in (0, 1))


def ratio(stretches: list[tuple[list[float], list[float]]], q: float) -> tuple[float, float, float]:
    """Quantile beside answers, the same without, and their ratio."""
    beside, without = (
        float(np.percentile([ms for one in stretches for ms in one[side]], q)) for side in (0, 1)
    )
    return beside, without, beside / without


def interval(stretches: list[tuple[list[float], list[float]]], q: float) -> tuple[float, float]:
    """Of the ratio, 95 %: stretches drawn anew 1,000 times."""
    rng, drawn = np.random.default_rng(0), []
    for _ in range(1000):
        some = [stretches[index] for index in rng.integers(0, len(stretches), len(stretches))]
        if all(any(one[side] for one in some) for side in (0, 1)):
            drawn.append(ratio(some, q)[2])
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def row(stretches: list[tuple[list[float], list[float]]], answers_ms: list[float]) -> dict[str, float]:
    """What a setting's quiet stretches came to; little where there are few."""
    beside, without = (sum(len(one[side]) for one in stretches) for side in (0, 1))
    made: dict[str, float] = {
        "frames beside answers": beside,
        "frames without": without,
        "answers": len(answers_ms),
    }
    if min(beside, without) < 40:
        return made
    for q in (50, 95):
        there, not_there, one = ratio(stretches, q)
        low, high = interval(stretches, q)
        made |= {f"p{q} beside, ms": there, f"p{q} without, ms": not_there}
        made |= {f"p{q} ratio": one, f"p{q} ratio, low": low, f"p{q} ratio, high": high}
    return made | {"an answer, ms": statistics.median(answers_ms) if answers_ms else 0.0}


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("gate", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("source")
    parser.add_argument("--gate-variant")
    parser.add_argument("--model-variant")
    parser.add_argument("--prompt")
    parser.add_argument("--fields")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=default_threads(), help="of the gate")
    parser.add_argument("--settings", nargs="+", type=Setting, default=[Setting(""), Setting("alone")])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument(
        "--others", type=float, default=0.1, help="most that other processes may take (default: 0.1)"
    )
    parser.add_argument(
        "--enough", type=int, default=400, help="frames of either kind that end a setting's turns"
    )
    parser.add_argument("--patience", type=float, default=600, help="seconds after which no run begins")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Runs the settings in turns and prints the ratios of each."""
    args = arguments()
    until_s = time.monotonic() + args.patience
    gate = load(args.gate, args.gate_variant, options=EngineOptions(threads=args.threads))
    stretches: dict[str, list[tuple[list[float], list[float]]]] = {
        setting.name: [] for setting in args.settings
    }
    answers_ms: dict[str, list[float]] = {setting.name: [] for setting in args.settings}
    for number in range(args.rounds):
        turn = number % len(args.settings)
        for setting in [*args.settings[turn:], *args.settings[:turn]]:
            if enough(stretches[setting.name], args.enough) or time.monotonic() > until_s:
                continue
            wait_for_quiet(args.others, until_s)
            times = run(args, gate, setting)
            stretches[setting.name] += times.stretches_ms(args.others, setting.asks)
            answers_ms[setting.name] += [(done - begun) / 1e6 for begun, done in times.answers]
        found = {
            name: [sum(len(one[side]) for one in some) for side in (0, 1)] for name, some in stretches.items()
        }
        print(f"round {number + 1}: frames beside answers, and without: {found}", file=sys.stderr)
    rows = {name: row(some, answers_ms[name]) for name, some in stretches.items()}
    about = {
        "machine": str(this_machine()),
        "gate": f"{gate.bundle_name} {gate.variant}",
        "model": args.model.name,
        "threads": gate.threads,
        "seconds": args.seconds,
        "rounds": args.rounds,
    }
    if args.json:
        print(json.dumps({**about, "settings": rows}))
        return
    print(about)
    for name, made in rows.items():
        print(name or "as it ships")
        for key, value in made.items():
            print(f"  {key:<24} {value:9.3f}")


if __name__ == "__main__":
    main()
