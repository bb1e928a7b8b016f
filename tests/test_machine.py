from edgekit.machine import give_memory_back, installed, this_machine

PI5 = """processor\t: 0
Features\t: fp asimd evtstrm aes asimdhp asimddp
CPU part\t: 0xd0b

Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""


def test_a_pi_5(tmp_path):
    (tmp_path / "cpuinfo").write_text(PI5)
    machine = this_machine(tmp_path / "cpuinfo")
    assert machine.model == "Raspberry Pi 5 Model B Rev 1.0"
    assert machine.features == ("asimd", "asimddp", "asimdhp")


def test_a_board_without_a_name_is_named_by_its_core(tmp_path):
    (tmp_path / "cpuinfo").write_text("CPU part\t: 0xd08\n")
    assert this_machine(tmp_path / "cpuinfo").model == "Cortex-A72"


def test_without_cpuinfo_something_is_still_said(tmp_path):
    machine = this_machine(tmp_path / "none")
    assert machine.model
    assert machine.as_json()["features"] == []
    assert machine.model in str(machine)


def test_versions_of_what_is_installed():
    assert "numpy" in installed("numpy", "no-such-distribution")
    assert "no-such-distribution" not in installed("no-such-distribution")


def test_freed_memory_goes_back_where_the_library_can(monkeypatch):
    import ctypes

    give_memory_back()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_memory_back()  # musl has no malloc_trim
