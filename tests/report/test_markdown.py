from edgekit.report.markdown import markdown


def test_tables_stay_tables(report):
    text = markdown(report())
    assert text.startswith("# Lite \\<0\\>: int8\n\n**PASS: drop 0.80 points")
    assert "- count things" in text
    assert "| a\\|b.jpg\\#1 | cat | cat (0.9) | \\<script\\> |" in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1


def test_without_worst_and_card(report):
    text = markdown(report(worst=(), cannot=()))
    assert "changed most" not in text
    assert "Its card does not say." in text
