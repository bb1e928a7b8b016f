from edgekit.machine import this_machine
from edgekit_export.conformance.family import Family, named
from edgekit_export.conformance.measure import Cell, Row
from edgekit_export.conformance.page import page

FAMILY = Family("ViT", "picture", "random", named("vit"))


def test_a_row_has_its_figures_and_reasons():
    cells = (
        Cell("1.2 MB"),
        Cell("2.0e-03", ok=False),
        Cell("27 %"),
        Cell("a|b", ok=False),
        Cell("3 ms"),
        Cell("ok"),
    )
    row = Row(FAMILY, *cells)
    last = page([row], this_machine(), "torch 1").splitlines()[-1]
    assert last == "| ViT | picture | random | 1.2 MB | ✗ 2.0e-03 | 27 % | ✗ a\\|b | 3 ms | ok |"


def test_tflite_may_have_a_reason_instead_of_a_figure():
    good = [Cell("x")] * 6
    assert Row(FAMILY, *good).whole
    assert Row(FAMILY, *good[:3], Cell("no", ok=False), *good[4:]).whole
    assert not Row(FAMILY, Cell("no", ok=False), *good[1:]).whole
