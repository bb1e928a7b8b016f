import re

import numpy as np
import pytest

from edgekit.data.dataset import open_data
from edgekit_export.data.receipts import render_receipt, write_receipt

DATE = re.compile(
    r"\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4}|\d\d\.\d\d\.\d{4}|\d{1,2} [A-Z][a-z]{2} \d{4}|[A-Z][a-z]{2} \d{1,2}, \d{4}"
)


def written(index):
    return write_receipt(np.random.default_rng([5, index]))


def amounts(rows):
    return [(n, float(right.replace("$", ""))) for n, right in rows if re.fullmatch(r"-?\$?\d+\.\d\d", right)]


def test_the_same_picture_again():
    first, second = render_receipt(3, 1), render_receipt(3, 1)
    assert np.array_equal(first.image, second.image)
    assert (first.texts, first.fields) == (second.texts, second.fields)
    assert first.fields != render_receipt(3, 2).fields


@pytest.mark.parametrize("index", range(4))
def test_quads_are_on_the_picture_and_fields_in_the_texts(index):
    receipt = render_receipt(7, index)
    height, width = receipt.image.shape[:2]
    assert receipt.quads.shape == (len(receipt.texts), 4, 2)
    assert receipt.quads.min() >= 0
    assert (receipt.quads.max(axis=(0, 1)) <= (width, height)).all()
    assert receipt.fields.merchant in receipt.texts
    assert any(receipt.fields.date in text for text in receipt.texts)
    assert receipt.fields.total in {text.lstrip("$") for text in receipt.texts}


def test_sums_are_right_and_the_total_is_what_is_to_be_paid():
    for index in range(300):
        rows, fields = written(index)
        places = [i for i, (name, amount) in enumerate(rows) if amount.lstrip("$") == fields.total]
        cents = {name: round(100 * amount) for name, amount in amounts(rows)}
        total = round(100 * float(fields.total))
        assert places
        assert total > 0
        if "Subtotal" in cents:
            (tax,) = (cents[name] for name in ("Tax", "VAT", "Sales tax") if name in cents)
            assert cents["Subtotal"] + tax == total
        if "Cash" in cents:
            assert cents["Cash"] - cents["Change"] == total


def test_what_misleads_turns_up():
    many = [written(index) for index in range(300)]
    first = sum(rows[0][0] != fields.merchant for rows, fields in many)
    dates = sum(len(DATE.findall(" ".join(name for name, _ in rows))) > 1 for rows, _ in many)
    more = sum(
        max(amount for _, amount in amounts(rows)) > float(fields.total) + 0.001 for rows, fields in many
    )
    assert min(first, dates, more) > 60  # of 300: a heading above the shop, another date, more than the total


def test_receipts_are_data_of_readers():
    (sample,) = open_data(("rendered:receipts?n=1&seed=7",), "ocr", (), "text")
    receipt = render_receipt(7, 0)
    assert np.array_equal(sample.frame.pixels, receipt.image)
    assert sorted(sample.truth.split("\n")) == sorted(receipt.texts)
