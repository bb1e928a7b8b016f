from edgekit.report.markdown import markdown


def test_tables_stay_tables(report):
    text = markdown(report())
    assert text.startswith("# Lite \\<0\\>: int8\n\n**PASS: drop 0.80 points")
    assert "- count things" in text
    assert "| a\\|b.jpg\\#1 | blur | cat | cat (0.9) | \\<script\\> |" in text
    assert_tables(text)


def assert_tables(text):
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1


def test_without_worst_and_card(report):
    text = markdown(report(worst=(), cannot=()))
    assert "changed most" not in text
    assert "Its card does not say." in text


def test_everything(full):
    text = markdown(full())
    assert_tables(text)
    assert "- A limit of 2 points needs at least 149 independent samples" in text
    assert "| kl (divergence of the scores) | – | – | 0.0213 nats | 0.019 to 0.0241 |" in text
    assert "| blur | 1,000 (500 sources) | 80.00 % | 77.50 % | 2.50 (worse) | 0.50 to 4.50 | 60 |" in text
    assert "… and 20 more, in report.json." in text
    assert (
        text.index("| 4 | late | Gemm") < text.index("| 2 | hurts | Conv") < text.index("| 1 | first | Conv")
    )
    assert "| reduced: optimiser off to on | 0.1 | 44.0 dB |" in text
    assert "| int8 | 96.60 | 100.00 |" in text


def test_what_is_broken_comes_after_the_verdict(broken):
    text = markdown(broken)
    assert (
        text.index("FAIL")
        < text.index("> **Broken stage: channel order.** Exchanged")
        < text.index("least samples")
    )
    assert "> **This machine does not compute what the exporter measured.**" in text
