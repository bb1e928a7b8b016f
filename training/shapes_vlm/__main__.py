"""`python -m training.shapes_vlm --out DIR`: trains, writes the model, measures it on easy-vqa's test split."""

import argparse
import time
from pathlib import Path

from edgekit_export.sources.packages import fetch
from training.shapes_vlm.checkpoint import load, save
from training.shapes_vlm.measure import answers, blanked, report
from training.shapes_vlm.packaged import EASY_VQA, packaged
from training.shapes_vlm.train import Plan, Stage, train
from training.shapes_vlm.words import make_processor


def main() -> None:
    """Reads the options and runs everything."""
    options = argparse.ArgumentParser(prog="python -m training.shapes_vlm", description=__doc__)
    options.add_argument(
        "--out", type=Path, required=True, help="gets checkpoint/, and scratch/ to go on from"
    )
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    options.add_argument("--see-steps", type=int, default=2200)
    options.add_argument("--answer-steps", type=int, default=1000)
    options.add_argument("--negate-steps", type=int, default=500)
    options.add_argument("--finish-steps", type=int, default=150)
    asked = options.parse_args()
    stages = (
        Stage("see", asked.see_steps, pictures=32, rate=1.5e-3, warmup=150),
        Stage("answer", asked.answer_steps, pictures=16, rate=1e-3, warmup=150),
        Stage("negate", asked.negate_steps, pictures=16, rate=1e-3, warmup=62),
        Stage("finish", asked.finish_steps, pictures=16, rate=2e-4, warmup=18),
    )
    wheel = fetch(EASY_VQA)
    started = time.monotonic()
    network = train(Plan(wheel, asked.out / "scratch", stages, asked.workers, asked.seed))
    print(f"trained in {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    save(network, make_processor(), asked.out / "checkpoint")
    network, processor = load(asked.out / "checkpoint")
    test = packaged(wheel, "test")
    print(report(list(answers(network, processor, test))))
    print("The same questions of an empty picture:")
    print(report(list(answers(network, processor, blanked(test)))))


if __name__ == "__main__":
    main()
