"""Why the emulated devices cannot be had here."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence


class Unavailable(Exception):  # noqa: N818 (it reads as what it says)
    """The machine lacks something that emulation needs. The message is the reason that is shown."""


def call(command: Sequence[str], timeout_s: float, env: Mapping[str, str] | None = None) -> str:
    """Runs a set-up command and returns what it printed.

    Raises:
        Unavailable: it is not installed, failed or took too long; with the last line that it printed.
    """
    try:
        done = subprocess.run(
            list(command),
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise Unavailable(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{' '.join(command[:3])} …: not done in {timeout_s:.0f} s") from error
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = (
            [line for line in said if line.startswith(("E:", "ERROR:", "error"))] or said or ["no message"]
        )
        raise Unavailable(f"{' '.join(command[:3])} …: exit code {done.returncode}: {errors[-1].strip()}")
    return done.stdout
