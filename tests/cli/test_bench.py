import json

from edgekit.cli import main


def test_bench_counts_its_runs_and_names_the_machine(tiny_bundle, capsys):
    assert main(["bench", str(tiny_bundle()), "--runs", "7", "--threads", "1", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["n"], body["threads"], body["variant"], body["task"]) == (7, 1, "int8", "classify")
    assert set(body["latency_ms"]) == {"pre", "infer", "post", "total"}
    assert body["latency_ms"]["total"]["p50"] >= body["latency_ms"]["infer"]["p50"] > 0
    assert body["bare_ms"]["p50"] > 0
    assert body["peak_rss_bytes"] > 10_000_000
    assert body["machine"]["cores"] >= 1


def test_bench_for_people(tiny_bundle, capsys):
    assert main(["bench", str(tiny_bundle()), "--runs", "3"]) == 0
    out = capsys.readouterr().out
    assert "bare" in out
    assert "n = 3" in out


def test_threads_out_of_range(tiny_bundle, capsys):
    assert main(["bench", str(tiny_bundle()), "--threads", "257"]) == 2
    assert "1 to 256" in capsys.readouterr().err
