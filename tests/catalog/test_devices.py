from dataclasses import fields, replace

import pytest

from edgekit.catalog.devices import DEVICES, Device, device_of
from edgekit.errors import UsageError

FIGURES = {field.name for field in fields(Device)} - {"name", "what", "sources"}


def test_the_devices():
    assert {*DEVICES} == {
        *("pi4", "pi5", "pi-zero-2", "phone", "laptop", "server-cpu", "server-gpu", "microcontroller"),
    }


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_every_figure_has_a_source(device):
    assert {*device.sources} == FIGURES
    assert all(getattr(device, figure) > 0 for figure in FIGURES)
    assert device.fp32_macs_per_s <= device.fp16_macs_per_s <= device.int8_macs_per_s
    assert device.watts_idle < device.watts_busy
    assert device.macs_per_s("int4") == device.macs_per_s("int8")


def test_a_device_without_a_source_is_none():
    with pytest.raises(ValueError, match="price_usd"):
        replace(DEVICES["pi5"], sources=dict.fromkeys(FIGURES - {"price_usd"}, "x"))


def test_an_unknown_device_lists_the_known():
    with pytest.raises(UsageError, match="pi-zero-2"):
        device_of("pi6")
    with pytest.raises(UsageError, match="fp64"):
        device_of("pi5").macs_per_s("fp64")
