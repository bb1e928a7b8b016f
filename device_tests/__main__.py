"""Runs Python, or edgekit, on an emulated device: to look at something by hand.

usage: python -m device_tests DEVICE ARGUMENTS-OF-PYTHON...    e.g. pi5 -c 'import platform; print(platform.machine())'
       python -m device_tests DEVICE edgekit ARGUMENTS...      e.g. pi4 edgekit selftest lite0.edge
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from device_tests import cpus, wheels
from device_tests.sysroot import REPOSITORY, default_cache, prepare
from device_tests.unavailable import Unavailable

HOUR_S = 3600.0


def main(argv: list[str]) -> int:
    """Prepares the device and edgekit's wheel, runs, and passes on output and exit code."""
    known = {cpu.name: cpu for cpu in cpus.CPUS}
    if len(argv) < 2 or argv[0] not in known:
        sys.stderr.write(f"{__doc__}\nDEVICE is one of {', '.join(known)}\n")
        return 2
    name, first, *rest = argv
    args = [
        str(Path(arg).resolve()) if Path(arg).exists() else arg for arg in rest
    ]  # it runs in its own folder
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
        home = Path(folder)
        try:
            sysroot = prepare(default_cache())
            wheels.unpack(wheels.build(REPOSITORY, home / "wheel"), home / "site")
        except Unavailable as reason:
            sys.stderr.write(f"no emulated device: {reason}\n")
            return 3
        device = sysroot.device(known[name], home / "site", home)
        if first == "edgekit":  # in the repository's root also a folder of that name
            done = device.edgekit(*args, timeout_s=HOUR_S)
        else:
            done = device.run(first, *args, timeout_s=HOUR_S)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
