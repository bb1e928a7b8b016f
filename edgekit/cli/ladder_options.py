"""The options of ``edgekit camera`` that let it change the variant when the machine is hot or late."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from edgekit.cli.cascade_options import asked_in_loop
from edgekit.cli.deadline_options import nanoseconds
from edgekit.cli.engine_options import engine_options
from edgekit.cli.output import say
from edgekit.cli.values import option, parse_path
from edgekit.errors import EnvironmentLacks, UsageError

if TYPE_CHECKING:
    from edgekit.bundle.manifest import Drop
    from edgekit.bundle.reader import Bundle
    from edgekit.climber import Climber
    from edgekit.rungs import Load, Rung
    from edgekit.tasks.protocol import Task

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Start:
    """What the loop starts with.

    Attributes:
        task: the first variant.
        drop: what it costs in accuracy, where known.
        climber: changes it, with ``--ladder``.
    """

    task: Task
    drop: Drop | None
    climber: Climber | None = None


def add_ladder_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--ladder`` and ``--thermal-root``."""
    parser.add_argument(
        "--ladder",
        metavar="auto|V1,V2",
        help="run a cheaper variant while hot or late: of these, the most accurate first, or of all worth it",
    )
    parser.add_argument(
        "--thermal-root",
        type=option(parse_path),
        metavar="DIR",
        help="read temperatures and clocks there, laid out as /sys, to try what heat does",
    )


def load_start(args: argparse.Namespace) -> Start:
    """Loads the variant to start with.

    Raises:
        UsageError: no such variant, none to change to, or options that contradict each other.
        EnvironmentLacks: nothing would ever make the ladder step.
    """
    from edgekit.bundle.reader import open_bundle
    from edgekit.tasks.registry import find_variant, make_task

    bundle = open_bundle(args.bundle)
    manifest, options = bundle.manifest, engine_options(args)

    def load(name: str) -> Task:
        variant = find_variant(manifest, name)
        task = make_task(
            manifest.task, manifest.name, variant, bundle.folder(), engine=args.engine, options=options
        )
        if task.accepts != "picture":
            raise UsageError(
                f"{args.bundle}: takes a {task.accepts}, a camera gives pictures", "use edgekit run"
            )
        return asked_in_loop(args, task)

    if args.ladder is None:
        if args.thermal_root is not None and args.preview is None and args.metrics is None:
            raise UsageError("--thermal-root: nothing would read it", "add --ladder, --preview or --metrics")
        variant = find_variant(manifest, args.variant)
        return Start(load(variant.name), variant.drop)
    climber = _open_climber(args, bundle, load)
    return Start(climber.first(), climber.rung.drop, climber)


def _open_climber(args: argparse.Namespace, bundle: Bundle, load: Load) -> Climber:
    from edgekit.climber import Climber
    from edgekit.ladder import LadderSettings
    from edgekit.rungs import candidates, chosen, golden_picture, measure
    from edgekit.thermal import SYSTEM, HeatWatch, Thermometer

    names = None if args.ladder == AUTO else args.ladder.split(",")
    if names is not None and args.variant is not None:
        raise UsageError(
            "--variant with a named ladder: it starts where it holds the deadline", "give one of the two"
        )
    root = args.thermal_root or SYSTEM
    thermometer = Thermometer(root)
    if not thermometer.known:
        if args.deadline is None or args.thermal_root is not None:
            raise EnvironmentLacks(f"--ladder: {root} tells no temperature and no clock", "give --deadline")
        say("ladder: this machine tells no temperature and no clock: steps on late frames only")
    variants = candidates(bundle.manifest, names, args.variant)
    rungs = measure(load, variants, golden_picture(bundle))
    rungs = chosen(rungs, args.variant) if names is None else rungs
    for line in [_told(rungs), *_odd(rungs), *thermometer.notes]:
        say(f"ladder: {line}")
    heat = HeatWatch(thermometer.read) if thermometer.known else None
    return Climber(rungs, load, LadderSettings(nanoseconds(args.deadline)), heat, tell=say)


def _told(rungs: list[Rung]) -> str:
    from edgekit.cli.camera_status import drop_words

    return " > ".join(
        f"{rung.variant} {rung.cost_ns / 1e6:.1f} ms ({drop_words(rung.drop)})" for rung in rungs
    )


def _odd(rungs: list[Rung]) -> list[str]:
    """What a named ladder promises and does not hold."""
    return [
        f"{below.variant} takes no less than {above.variant} above it: a step to it cools nothing"
        for above, below in pairwise(rungs)
        if below.cost_ns >= above.cost_ns
    ]
