import pytest
from msgspec.structs import replace

from edgekit.catalog.decide import latency
from edgekit.catalog.decide.defaults import default_assumptions

PI5 = default_assumptions("pi5", ["image"])
MOE_ON_8 = replace(PI5, moe=replace(PI5.moe, gpus=8))


def with_(section, a=PI5, **figures):
    return replace(a, **{section: replace(getattr(a, section), **figures)})


def test_a_specialist_is_its_operations_and_what_is_around_it():
    found = latency.of_specialist(PI5)
    assert found.p50_ms == pytest.approx(10 + 4.35e9 / 122e9 * 1000)
    assert found.p99_ms == pytest.approx(1.3 * found.p50_ms)
    assert found.estimated


def test_a_vision_language_model_is_tower_prompt_and_answer():
    found = latency.of_vlm(PI5)
    tower, prompt, token = 100e9 / 122e9, 114 * 134.6e6 / 122e9, 134.6e6 / 9e9  # a token is bound by memory
    assert found.p50_ms == pytest.approx(10 + 1000 * (tower + prompt + 20 * token))
    text = latency.of_vlm(default_assumptions("pi5", ["text"]))
    assert text.p50_ms == pytest.approx(10 + 1000 * (50 * 134.6e6 / 122e9 + 20 * token))


@pytest.mark.parametrize(
    ("share", "p50", "p99"),
    [(0.01, 0, 0), (0.011, 0, 1), (0.5, 0, 1), (0.51, 1, 1), (1.0, 1, 1)],
)
def test_a_cascade_answers_where_it_triggers(share, p50, p99):
    a = with_("cascade", trigger_share=share)
    first, answer, found = latency.of_specialist(a), latency.of_vlm(a), latency.of_cascade(a)
    assert found.p50_ms == pytest.approx(first.p50_ms + p50 * answer.p50_ms)
    assert found.p99_ms == pytest.approx(first.p99_ms + p99 * answer.p99_ms)
    assert found.busy_ms == pytest.approx(first.busy_ms + share * answer.busy_ms)


def test_a_cascade_that_asks_a_server_leaves_the_device_free():
    found = latency.of_cascade(with_("cascade", answers_on="server"))
    assert found.busy_ms == latency.of_specialist(PI5).busy_ms
    assert found.p99_ms > 2900


def test_a_pipeline_is_its_stages_its_queue_and_the_way():
    found = latency.of_pipeline(PI5)
    assert (found.p50_ms, found.p99_ms, found.busy_ms) == (410, 850, 350)
    assert latency.of_pipeline(PI5, network=False).p50_ms == 350
    assert not found.estimated


def test_a_stated_time_is_taken_as_it_stands():
    a = with_("dense", ms=1500.0)
    found = latency.of_generalist(a.dense, a, network=False)
    assert (found.p50_ms, found.p99_ms, found.estimated) == (1500, 3000, False)


def test_a_dense_70b_model_takes_about_a_second_and_a_half():
    prompt, token = 1000 * 70e9 / 400e12, 70e9 / 2.9e12
    alone = replace(PI5.dense, concurrent=1)
    assert latency.generalist_ms(alone, PI5.gpu, 0.5) == pytest.approx(1000 * (prompt + 50 * token))
    assert latency.of_generalist(alone, PI5).p50_ms == pytest.approx(1442, abs=1)


def test_calls_of_a_batch_share_the_steps_of_their_answers_and_wait_for_the_prompts():
    prompt, token = 1000 * 70e9 / 400e12, 70e9 / 2.9e12
    assert latency.generalist_ms(PI5.dense, PI5.gpu, 0.5) == pytest.approx(1000 * (4 * prompt + 50 * token))
    assert latency.of_generalist(PI5.dense, PI5).p50_ms == pytest.approx(1967, abs=1)


def test_memory_goes_by_all_parameters_and_compute_by_the_active_ones():
    assert latency.gpus(PI5.dense, PI5.gpu) == 1
    assert latency.gpus(PI5.moe, PI5.gpu) == 2  # 235 GB and a cache, of 127 GB usable
    assert latency.generalist_bytes(PI5.moe) == 235e9 + 4 * 0.35e9
    alone = with_("moe", gpus=1, concurrent=1, answer_tokens=1, prompt_tokens=100_000)
    prompt_ms = 100_000 * 22e9 / 400e12 * 1000
    assert latency.generalist_ms(alone.moe, alone.gpu, 0.5) == pytest.approx(
        prompt_ms + 22e9 / 2.9e12 * 1000, rel=1e-6
    )


def test_half_the_bytes_at_int4():
    int4 = with_("dense", precision="int4")
    assert latency.generalist_bytes(int4.dense) == 70e9 * 4.5 / 8 + 4 * 0.35e9


def test_uneven_experts_make_the_slow_steps_slower():
    median, slow = (latency.generalist_ms(MOE_ON_8.moe, MOE_ON_8.gpu, q) for q in (0.5, 0.99))
    assert slow / median == pytest.approx(1.5, abs=0.2)
    dense = [latency.generalist_ms(PI5.dense, PI5.gpu, q) for q in (0.5, 0.99)]
    assert dense[0] == dense[1]
    assert latency.busiest(MOE_ON_8.moe, MOE_ON_8.gpu, 4, 0.99) == pytest.approx(2.75)
    assert latency.busiest(replace(MOE_ON_8.moe, gpus=1), MOE_ON_8.gpu, 4, 0.99) == 1


def test_a_larger_batch_is_more_even():
    loads = [latency.busiest(MOE_ON_8.moe, MOE_ON_8.gpu, tokens, 0.99) for tokens in (1, 4, 64, 1000)]
    assert loads == sorted(loads, reverse=True)
    assert loads[-1] == pytest.approx(1.3, abs=0.1)  # what the hot experts add remains
