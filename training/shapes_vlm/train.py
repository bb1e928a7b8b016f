"""The training, in four stages: the tower learns to see, the decoder to answer, then to negate; both finish together.

`see`: tower and connector under linear heads that are thrown away afterwards: kind, colour, and which pixels
the shape covers. Answers alone teach a tower from scratch very slowly, a yes or a no says little about a
picture; kind and colour alone do too (chance level on kinds after 10,000 pictures), for lack of outlines.
`answer`: the decoder, on what the tower gives; loss on the answers' tokens, and under a head that is thrown
away: does the picture have what a yes-or-no question names? That is known at the question's end after two
layers, and yes and no stay at chance all the same: "is there not a circle?" is a match times a negation.
`negate`: the decoder, with few negated questions at first, and a second such head one layer up at the place
where the answer is given. That one brings yes and no from chance to 94 % within 150 steps; without it they
stayed there for 400.
`finish`: everything, slowly, with the same losses.

Each worker is one process of one thread with its share of every batch; gradients are averaged. (On a busy
machine two threads in one process wait for each other most of the time: 9 pictures a second against 140.)
Products are in bfloat16 (1.5 times as fast here), weights in float32.
"""

import math
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from training.shapes_vlm.batches import IGNORED, Batcher, pixels_of
from training.shapes_vlm.model import HIDDEN, PATCH_PX, make_model
from training.shapes_vlm.packaged import Pictured, packaged
from training.shapes_vlm.pictures import COLORS, KINDS, SIDE_PX
from training.shapes_vlm.samples import VARIED, generated, mixed
from training.shapes_vlm.words import END, IMAGE, PAD, START, make_processor

CHECKPOINT_STEPS = 200
REPORT_STEPS = 50
COVER_WEIGHT = 5.0
MATCH_LAYER = 2  # of the decoder's four: the others have to turn a match and a negation into yes or no


@dataclass(frozen=True, slots=True)
class Stage:
    """How long and how fast: pictures a step are those of all workers together."""

    name: str
    steps: int
    pictures: int
    rate: float
    warmup: int  # steps in which the rate rises


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is told."""

    wheel: Path
    scratch: Path  # checkpoints; a run continues from those it finds
    stages: tuple[Stage, Stage, Stage, Stage]
    workers: int
    seed: int


def train(plan: Plan) -> Idefics3ForConditionalGeneration:
    """Trains in `plan.workers` processes and returns the network of the last checkpoint."""
    plan.scratch.mkdir(parents=True, exist_ok=True)
    (plan.scratch / "meeting").unlink(missing_ok=True)
    torch.multiprocessing.spawn(_work, (plan,), nprocs=plan.workers)
    network = _new_network(make_processor(), plan.seed)
    network.load_state_dict(_load(plan.scratch / "finish.pt")["network"])
    return network.eval()


def _work(rank: int, plan: Plan) -> None:
    """One worker: all stages, with rank 0 writing checkpoints and the log."""
    os.setsid()  # a session for each: a busy Linux shares its cores among sessions, not processes
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    meeting = f"file://{plan.scratch.resolve() / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=plan.workers)
    processor = make_processor()
    network = _new_network(processor, plan.seed)
    tower = nn.ModuleList([network.model.vision_model, network.model.connector])
    see, answer, negate, finish = plan.stages
    heads = nn.ModuleList(
        [nn.Linear(HIDDEN, len(KINDS) + len(COLORS)), nn.Linear(HIDDEN, PATCH_PX * PATCH_PX)]
    )
    _run(see, plan, rank, nn.ModuleDict({"network": tower, "heads": heads}), _seeing(tower, heads))
    heads = nn.ModuleList([nn.Linear(HIDDEN, 2)])
    batcher, train_split = Batcher(processor), packaged(plan.wheel, "train")
    asking = _asking(network, heads, batcher, train_split)
    trained = nn.ModuleDict({"network": network, "heads": heads})
    tower.requires_grad_(False)
    _run(answer, plan, rank, trained, asking)
    heads.append(nn.Linear(HIDDEN, 2))
    _run(negate, plan, rank, trained, _asking(network, heads, batcher, train_split, _negated_share))
    tower.requires_grad_(True)
    _run(finish, plan, rank, trained, _asking(network, heads, batcher, train_split))
    dist.destroy_process_group()


def _new_network(processor: Idefics3Processor, seed: int) -> Idefics3ForConditionalGeneration:
    torch.manual_seed(seed)
    tokenizer = processor.tokenizer
    special = [tokenizer.convert_tokens_to_ids(token) for token in (IMAGE, START, END, PAD)]
    return make_model(len(tokenizer), *special)


# (the step's generator, pictures, share of the stage that is done) -> loss, share that is right
Loss = Callable[[random.Random, int, float], tuple[torch.Tensor, float]]


def _seeing(tower: nn.ModuleList, heads: nn.ModuleList) -> Loss:
    vision, connector = tower
    named, cover = heads

    def loss(rng: random.Random, count: int, done: float) -> tuple[torch.Tensor, float]:
        varied = VARIED * min(1.0, max(0.0, 3 * done - 1))  # plain pictures alone in the first third
        shapes, drawings = zip(*(generated(rng, varied) for _ in range(count)), strict=True)
        patches = vision(pixel_values=torch.cat([pixels_of(d.picture) for d in drawings])).last_hidden_state
        of_kind, of_color = named(connector(patches).mean(1)).float().split([len(KINDS), len(COLORS)], dim=1)
        kinds = torch.tensor([KINDS.index(shape.kind) for shape in shapes])
        colors = torch.tensor([list(COLORS).index(shape.color) for shape in shapes])
        covered = torch.stack([cover_by_patch(drawing.cover) for drawing in drawings])
        value = cross_entropy(of_kind, kinds) + cross_entropy(of_color, colors)
        value = value + COVER_WEIGHT * binary_cross_entropy_with_logits(cover(patches).float(), covered)
        right = (of_kind.argmax(1) == kinds) & (of_color.argmax(1) == colors)
        return value, right.float().mean().item()

    return loss


def cover_by_patch(cover: np.ndarray) -> torch.Tensor:
    """(64, 64) shares of pixels -> (patches, pixels of a patch), both row by row."""
    side = SIDE_PX // PATCH_PX
    blocks = cover.reshape(side, PATCH_PX, side, PATCH_PX).swapaxes(1, 2)
    return torch.from_numpy(blocks.reshape(side * side, PATCH_PX * PATCH_PX).copy())


def _asking(
    network: Idefics3ForConditionalGeneration,
    heads: nn.ModuleList,
    batcher: Batcher,
    train_split: list[Pictured],
    negated: Callable[[float], float] = lambda done: 0.5,
) -> Loss:
    match, *copies = heads
    yes_or_no = batcher.answer_ids("yes", "no")

    def loss(rng: random.Random, count: int, done: float) -> tuple[torch.Tensor, float]:
        batch = batcher.batch(mixed(rng, train_split, count, negated(done)))
        seen = network.model(
            input_ids=batch.ids,
            attention_mask=batch.mask,
            position_ids=batch.positions,
            pixel_values=batch.pixels,
            use_cache=False,
            output_hidden_states=True,
        )
        asked, named = batch.labels != IGNORED, batch.matches != IGNORED
        scores, labels = network.lm_head(seen.last_hidden_state[asked]).float(), batch.labels[asked]
        matches = batch.matches[named]  # in the order of the places before yes or no, one a question
        value = cross_entropy(scores, labels)
        value = value + cross_entropy(match(seen.hidden_states[MATCH_LAYER][named]).float(), matches)
        for copy in copies:
            before = torch.isin(batch.labels, yes_or_no)
            value = value + cross_entropy(copy(seen.hidden_states[MATCH_LAYER + 1][before]).float(), matches)
        said = scores.argmax(1)[torch.isin(labels, yes_or_no)]
        return value, (said == labels[torch.isin(labels, yes_or_no)]).float().mean().item()

    return loss


def _negated_share(done: float) -> float:
    """Hardly any negated question at first, half of them in the end."""
    return min(0.5, 0.05 + 0.6 * done)


def _run(stage: Stage, plan: Plan, rank: int, trained: nn.ModuleDict, loss: Loss) -> None:
    """The steps of one stage, from where its checkpoint stands."""
    parameters = [parameter for parameter in trained.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, stage.rate, betas=(0.9, 0.98), weight_decay=0.02)
    file = plan.scratch / f"{stage.name}.pt"
    done = _resume(file, trained, optimizer)
    dist.barrier()
    started, right = time.monotonic(), 0.0
    for step in range(done, stage.steps):
        for group in optimizer.param_groups:
            group["lr"] = stage.rate * _share_of_rate(step, stage)
        rng = random.Random(f"{plan.seed} {stage.name} {rank} {step}")
        with torch.autocast("cpu", torch.bfloat16):
            value, share = loss(rng, stage.pictures // plan.workers, step / stage.steps)
        value.backward()
        _average(parameters, plan.workers)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        right += share
        if rank == 0 and (step + 1) % REPORT_STEPS == 0:
            speed = (step + 1 - done) * stage.pictures / (time.monotonic() - started)
            print(
                f"{stage.name} {step + 1}/{stage.steps}: loss {value.item():.4f}, "
                f"right {right / REPORT_STEPS:.3f}, {speed:.0f} pictures/s",
                flush=True,
            )
            right = 0.0
        if rank == 0 and ((step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == stage.steps):
            _save(file, step + 1, trained, optimizer)


def _share_of_rate(step: int, stage: Stage) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth."""
    if step < stage.warmup:
        return (step + 1) / stage.warmup
    return 0.02 + 0.98 * (1 + math.cos(math.pi * step / stage.steps)) / 2


def _average(parameters: list[nn.Parameter], workers: int) -> None:
    """The mean of all workers' gradients, in place."""
    if workers == 1:
        return
    with_gradient = [parameter for parameter in parameters if parameter.grad is not None]
    together = torch.cat([parameter.grad.flatten() for parameter in with_gradient])
    dist.all_reduce(together)
    together /= workers
    for parameter, mean in zip(
        with_gradient, together.split([p.numel() for p in with_gradient]), strict=True
    ):
        parameter.grad.copy_(mean.view_as(parameter))


def _save(file: Path, done: int, trained: nn.ModuleDict, optimizer: torch.optim.Optimizer) -> None:
    """The whole state, in one step: a file that is there is a whole one."""
    state = {"done": done, "optimizer": optimizer.state_dict()}
    state |= {name: module.state_dict() for name, module in trained.items()}
    staging = file.with_suffix(".part")
    torch.save(state, staging)
    staging.replace(file)


def _load(file: Path) -> dict:
    return torch.load(file, weights_only=True)


def _resume(file: Path, trained: nn.ModuleDict, optimizer: torch.optim.Optimizer) -> int:
    """Steps done, 0 without a checkpoint."""
    if not file.exists():
        return 0
    state = _load(file)
    for name, module in trained.items():
        module.load_state_dict(state[name])
    optimizer.load_state_dict(state["optimizer"])
    return state["done"]
