"""How long one call takes: by roofline, or as it was stated."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.catalog.decide.assumptions import Assumptions, Generalist, Gpu
from edgekit.catalog.decide.experts import Experts, largest_load
from edgekit.catalog.estimate import roofline
from edgekit.catalog.sizes import BITS_A_PARAMETER, size_bytes

MEDIAN, SLOW = 0.5, 0.99


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of a call, from the input to the result.

    Attributes:
        p50_ms: of half of the calls.
        p99_ms: of 99 of 100.
        busy_ms: that the device, or the server, works on one, on the average.
        estimated: by roofline, and so within a factor of 2 at best; else as it was stated.
    """

    p50_ms: float
    p99_ms: float
    busy_ms: float
    estimated: bool


def of_specialist(a: Assumptions) -> Latency:
    """A small model on the device, with what comes before and after it."""
    s = a.specialist
    ms = roofline(s.operations, size_bytes(s.parameters, s.precision), a.device, s.precision).ms
    return _on_device(a, ms)


def of_vlm(a: Assumptions) -> Latency:
    """A vision-language model on the device: its tower, the prompt, and the answer token by token."""
    v = a.vlm
    tower = roofline(
        v.tower_operations,
        0.0 if v.tower_operations == 0 else size_bytes(v.parameters - v.decoder_parameters, v.precision),
        a.device,
        v.precision,
    )
    decoder_bytes = size_bytes(v.decoder_parameters, v.precision)
    tokens = v.picture_tokens + v.prompt_tokens
    prompt = roofline(tokens * v.decoder_parameters, decoder_bytes, a.device, v.precision)
    token = roofline(v.decoder_parameters, decoder_bytes, a.device, v.precision)
    return _on_device(a, tower.ms + prompt.ms + v.answer_tokens * token.ms)


def of_cascade(a: Assumptions) -> Latency:
    """A detector on the device, and an answer where it triggers: on the device, or by the dense generalist."""
    first = of_specialist(a)
    here = a.cascade.answers_on == "device"
    answer = of_vlm(a) if here else of_generalist(a.dense, a)
    share = a.cascade.trigger_share
    return Latency(
        p50_ms=first.p50_ms + (answer.p50_ms if share > 0.5 else 0.0),
        p99_ms=first.p99_ms + (answer.p99_ms if share > 0.01 else 0.0),
        busy_ms=first.busy_ms + (share * answer.busy_ms if here else 0.0),
        estimated=True,
    )


def of_pipeline(a: Assumptions, network: bool = True) -> Latency:
    """Specialists on a server, one after the other."""
    return _on_server(a, sum(a.pipeline.stages_ms), sum(a.pipeline.stages_ms), network, estimated=False)


def of_generalist(g: Generalist, a: Assumptions, network: bool = True) -> Latency:
    """A large model on a server; of a mixture of experts the busiest device sets the pace."""
    if g.ms != "computed":
        return _on_server(a, g.ms, g.ms, network, estimated=False)
    return _on_server(
        a, generalist_ms(g, a.gpu, MEDIAN), generalist_ms(g, a.gpu, SLOW), network, estimated=True
    )


def gpus(g: Generalist, gpu: Gpu) -> int:
    """How many hold all of the weights, of a mixture of experts too, and the cache of a batch."""
    if g.gpus != "computed":
        return g.gpus
    return max(1, -int(-generalist_bytes(g) // (gpu.memory_bytes * gpu.usable_memory)))


def generalist_bytes(g: Generalist) -> float:
    """Weights by all parameters, and the cache of a batch."""
    return size_bytes(g.parameters, g.precision) + g.concurrent * g.cache_bytes_a_call


def generalist_ms(g: Generalist, gpu: Gpu, quantile: float) -> float:
    """Prompt and answer of one call of a batch, at the median or the slowest step of the experts.

    In a batch that is always full, the prompt of each of the others comes between, once; the answers share their steps.
    Every layer is taken to be as unevenly loaded as one of that quantile: an upper bound for the slow ones.
    """
    prompts = g.concurrent * _step_ms(g, gpu, g.prompt_tokens, quantile)
    return prompts + g.answer_tokens * _step_ms(g, gpu, g.concurrent, quantile)


def busiest(g: Generalist, gpu: Gpu, tokens: int, quantile: float) -> float:
    """Load of the busiest GPU over the mean, in a step of so many tokens; 1 of dense models and of one GPU."""
    count = gpus(g, gpu)
    return (
        1.0 if g.experts == 1 else largest_load(tokens * g.top_k, count, quantile, min(g.hot_device, count))
    )


def _step_ms(g: Generalist, gpu: Gpu, tokens: int, quantile: float) -> float:
    """One pass of so many tokens: shared parameters once for all, experts as far as any token takes them."""
    experts = Experts(g.parameters, g.active, g.experts, g.top_k)
    count = gpus(g, gpu)
    uneven = (
        1.0 if g.experts == 1 else largest_load(tokens * g.top_k, count, quantile, min(g.hot_device, count))
    )
    bytes_each = BITS_A_PARAMETER[g.precision] / 8
    chosen = experts.expert_parameters * g.top_k / g.experts
    read = experts.expert_parameters * experts.touched(tokens)
    operations = tokens * (experts.shared_parameters + chosen * uneven)
    weight_bytes = bytes_each * (experts.shared_parameters + min(read * uneven, experts.expert_parameters))
    return roofline(operations / count, weight_bytes / count, gpu, g.precision).ms


def _on_device(a: Assumptions, ms: float) -> Latency:
    total = a.device.overhead_ms + ms
    return Latency(total, total * a.device.p99_factor, total, estimated=True)


def _on_server(a: Assumptions, median_ms: float, slow_ms: float, network: bool, estimated: bool) -> Latency:
    s = a.server
    way, slow_way = (s.network_p50_ms, s.network_p99_ms) if network else (0.0, 0.0)
    return Latency(median_ms + way, slow_ms * s.p99_factor + slow_way, median_ms, estimated)
