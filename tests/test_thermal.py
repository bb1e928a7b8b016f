from __future__ import annotations

import threading
from itertools import count

import pytest

from edgekit.ladder import Heat
from edgekit.thermal import HeatWatch, Thermometer


def zone(root, number, kind, celsius, **trips):
    """A thermal zone; ``trips`` are kind → degrees."""
    folder = root / f"class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "type").write_text(f"{kind}\n")
    (folder / "temp").write_text(f"{round(celsius * 1000)}\n")
    for index, (trip, degrees) in enumerate(trips.items()):
        (folder / f"trip_point_{index}_temp").write_text(f"{round(degrees * 1000)}\n")
        (folder / f"trip_point_{index}_type").write_text(f"{trip}\n")
    return folder


def clock(root, number, allowed_khz, possible_khz=2_400_000):
    folder = root / f"devices/system/cpu/cpu{number}/cpufreq"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cpuinfo_max_freq").write_text(f"{possible_khz}\n")
    (folder / "scaling_max_freq").write_text(f"{allowed_khz}\n")


class TestZones:
    @pytest.mark.parametrize(
        ("kind", "trips", "limit"),
        [
            ("cpu-thermal", {"critical": 110}, 80.0),  # a Raspberry Pi 5's: its firmware slows from 80 on
            ("cpu-thermal", {"critical": 85}, 75.0),
            ("soc-thermal", {"passive": 75, "hot": 95, "critical": 115}, 75.0),
            ("acpitz", {"passive": 90, "critical": 100}, 90.0),
            ("x86_pkg_temp", {"passive": 0}, 80.0),  # a point that nobody has set
            ("x86_pkg_temp", {}, 80.0),
            ("cpu-thermal", {"active": 50}, 80.0),  # where a fan starts
        ],
    )
    def test_the_limit_is_where_the_clock_is_slowed(self, tmp_path, kind, trips, limit):
        zone(tmp_path, 0, kind, 61.25, **trips)
        assert Thermometer(tmp_path).read() == Heat(61.25, limit)

    def test_the_zone_nearest_its_limit_counts(self, tmp_path):
        zone(tmp_path, 0, "cpu-thermal", 70, critical=110)
        zone(tmp_path, 1, "gpu-thermal", 60, passive=65)
        zone(tmp_path, 10, "soc-thermal", 71, passive=95)
        assert Thermometer(tmp_path).read() == Heat(60.0, 65.0)

    def test_zones_of_other_things_do_not(self, tmp_path):
        zone(tmp_path, 0, "battery", 99, critical=60)
        zone(tmp_path, 1, "iwlwifi_1", 45)
        thermometer = Thermometer(tmp_path)
        assert not thermometer.known
        assert thermometer.read() == Heat()

    @pytest.mark.parametrize("text", ["", "hot", "-274000", "250000"])
    def test_what_cannot_be_a_temperature(self, tmp_path, text):
        folder = zone(tmp_path, 0, "cpu-thermal", 50)
        thermometer = Thermometer(tmp_path)
        (folder / "temp").write_text(text)
        assert thermometer.known
        assert thermometer.read() == Heat()
        assert not Thermometer(tmp_path).known

    def test_a_zone_that_vanishes(self, tmp_path):
        folder = zone(tmp_path, 0, "cpu-thermal", 50)
        thermometer = Thermometer(tmp_path)
        (folder / "temp").unlink()
        assert thermometer.read() == Heat()

    def test_a_machine_that_tells_nothing(self, tmp_path):
        assert not Thermometer(tmp_path).known
        assert Thermometer(tmp_path).read() == Heat()


class TestClock:
    def test_a_limit_that_falls_is_heat(self, tmp_path):
        clock(tmp_path, 0, 2_400_000)
        clock(tmp_path, 1, 2_400_000)
        thermometer = Thermometer(tmp_path)
        assert thermometer.known
        assert thermometer.read() == Heat()
        clock(tmp_path, 0, 1_800_000)
        clock(tmp_path, 1, 1_500_000)
        assert thermometer.read() == Heat(throttled="clock limited to 1500 of 2400 MHz")
        clock(tmp_path, 0, 2_400_000)
        clock(tmp_path, 1, 2_400_000)
        assert thermometer.read() == Heat()

    def test_one_from_the_start_is_meant(self, tmp_path):
        clock(tmp_path, 0, 1_500_000)
        thermometer = Thermometer(tmp_path)
        assert thermometer.notes == ["clock limited to 1500 of 2400 MHz from the start: taken as meant"]
        assert thermometer.read() == Heat()
        clock(tmp_path, 0, 600_000)
        assert thermometer.read().throttled == "clock limited to 600 of 1500 MHz"

    def test_a_file_that_says_nothing(self, tmp_path):
        clock(tmp_path, 0, 0)
        assert Thermometer(tmp_path).read() == Heat()


class TestFirmware:
    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            ("throttled=0x0\n", ""),
            ("throttled=0x50005\n", "throttled"),
            ("throttled=0x2", "frequency capped"),
            ("throttled=0xe0008", "soft temperature limit"),
            ("throttled=0x6", "frequency capped, throttled"),
            ("throttled=0x50001", ""),  # low voltage now, the rest was earlier
            ("", ""),
            ("VCHI initialization failed", ""),
        ],
    )
    def test_bits_of_now_count_and_those_of_earlier_do_not(self, tmp_path, answer, words):
        thermometer = Thermometer(tmp_path, tool=lambda: answer)
        assert thermometer.known
        assert thermometer.read().throttled == words

    def test_the_kernels_file_comes_before_the_tool(self, tmp_path):
        folder = tmp_path / "devices/platform/soc/soc:firmware"
        folder.mkdir(parents=True)
        (folder / "get_throttled").write_text("50004\n")
        thermometer = Thermometer(tmp_path, tool=lambda: pytest.fail("asked"))
        assert thermometer.known
        assert thermometer.read() == Heat(throttled="throttled")

    def test_the_tool_of_a_real_machine(self, tmp_path, monkeypatch):
        tool = tmp_path / "vcgencmd"
        tool.write_text('#!/bin/sh\n[ "$1" = get_throttled ] && echo throttled=0x4\n')
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        monkeypatch.setattr("edgekit.thermal.SYSTEM", tmp_path / "sys")
        assert Thermometer(tmp_path / "sys").read() == Heat(throttled="throttled")
        assert not Thermometer(tmp_path / "simulated").known  # never asked about another folder
        tool.write_text("#!/bin/sh\nexit 1\n")
        assert Thermometer(tmp_path / "sys").read() == Heat()


def test_a_watch_reads_in_its_own_thread_and_ends(tmp_path):
    heats = (Heat(float(degree), 80.0) for degree in count(20))
    seen = threading.Event()
    threads = set()

    def read():
        threads.add(threading.current_thread().name)
        heat = next(heats)
        if heat.celsius == 23:
            seen.set()
        return heat

    watch = HeatWatch(read, interval_s=0.001)
    assert watch.latest == Heat(20.0, 80.0)
    watch.start()
    assert seen.wait(30)
    watch.close()
    assert watch.latest.celsius >= 22
    assert threads == {threading.current_thread().name, "edgekit-heat"}
    assert not [thread for thread in threading.enumerate() if thread.name == "edgekit-heat"]
    watch.close()


def test_a_watch_that_was_never_started_closes():
    HeatWatch(Heat).close()
