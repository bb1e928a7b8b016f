"""``edgekit bench``: latency by stage on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.bundle.messages import counted
from edgekit.cli.engine_options import add_engine_arguments, engine_options
from edgekit.cli.ledger_options import add_ledger_arguments, is_ledger, run_ledger
from edgekit.cli.output import emit, progress
from edgekit.cli.values import format_size, option, parse_count

if TYPE_CHECKING:
    from edgekit.speed import PictureSpeed, Speed

SUMMARY = "times a bundle on this machine, stage by stage"
EPILOG = """\
examples:
  edgekit bench lite0.edge                     100 runs of the bundle's own golden inputs
  edgekit bench lite0.edge --variant fp16 --threads 1 --runs 500
  edgekit bench --ledger run.ledger --deadline 50ms --plot run.html    what edgekit camera --record wrote

--ledger runs nothing: it replays a recorded run, and counts its misses against any deadline.

Of a language model it adds tokens a second, the time to the first token, and a cold start of edgekit chat; of a
vision-language model how long a picture and a second question about it take, on the bundle's first golden picture.
"bare" is the engine call alone, repeated right after each input: total / bare says what the rest costs.
Compare figures of one machine only, and machines only by the ratio of the same bundle's figures."""


def speed_rows(speed: Speed) -> list[tuple[str, str]]:
    """What a language model's speed is, one row a figure."""
    prefill, decode = (
        "" if tokens_per_s is None else f"{tokens_per_s:.1f}/s"
        for tokens_per_s in (speed.prefill_tokens_per_s, speed.decode_tokens_per_s)
    )
    return [
        (f"prompt of {counted(speed.prompt_tokens, 'token')}", prefill),
        (f"answer of {counted(speed.answer_tokens, 'token')}", decode),
        ("first token", f"{speed.first_token_ms:.0f} ms"),
        ("cold start, 8 tokens", f"{speed.cold_start_ms:.0f} ms"),
        *([] if speed.picture is None else _picture_rows(speed.picture)),
    ]


def _picture_rows(speed: PictureSpeed) -> list[tuple[str, str]]:
    decode = "" if speed.decode_tokens_per_s is None else f"{speed.decode_tokens_per_s:.1f}/s"
    return [
        (f"picture cut into {counted(speed.tiles, 'tile')}", f"{speed.prepare_ms:.1f} ms"),
        ("its tiles encoded", f"{speed.encode_ms:.1f} ms"),
        (f"first token, {speed.prompt_tokens} tokens with it", f"{speed.first_token_ms:.1f} ms"),
        ("first token, second question", f"{speed.follow_up_ms:.1f} ms"),
        ("answers", decode),
    ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", type=Path, nargs="?", metavar="BUNDLE", help="an .edge file")
    parser.add_argument("--variant", metavar="V", help="which variant (default: the bundle's first)")
    parser.add_argument("--engine", metavar="E", help="which engine (default: the model format's own)")
    parser.add_argument("--runs", type=option(parse_count), default=100, metavar="N", help="default: 100")
    add_engine_arguments(parser)
    add_ledger_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Times the variant and prints percentiles by stage; or replays a recorded run."""
    if is_ledger(args):
        return run_ledger(args)
    from rich.table import Table

    from edgekit.bench import bench

    with progress(f"bench {args.bundle.name}", args.runs) as advance:
        result = bench(
            args.bundle,
            args.variant,
            runs=args.runs,
            options=engine_options(args),
            engine=args.engine,
            advance=advance,
        )
    obj = result.as_json()
    table = Table("stage", "p50 ms", "p95 ms", "p99 ms", box=None)
    for stage, p in {**obj["latency_ms"], "bare": obj["bare_ms"]}.items():
        table.add_row(stage, f"{p['p50']:.2f}", f"{p['p95']:.2f}", f"{p['p99']:.2f}")
    if result.speed is not None:
        table.add_section()
        for line in speed_rows(result.speed):
            table.add_row(*line)
    table.caption = (
        f"{obj['bundle']} · {obj['variant']} · {obj['engine']} · {obj['threads']} threads · n = {obj['n']}\n"
        f"load {obj['load_ms']:.0f} ms, first input {obj['first_ms']:.0f} ms, "
        f"peak memory {format_size(obj['peak_rss_bytes'])}\n{result.machine}"
    )
    emit(args, obj, table)
    return 0
