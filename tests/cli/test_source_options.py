from __future__ import annotations

import argparse

import pytest

from edgekit.camera.patience import Patience
from edgekit.cli.source_options import add_source_arguments, patience


def parsed(*arguments):
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_source_arguments(parser)
    return patience(parser.parse_args(["--source", "0", *arguments]))


def test_by_default_a_camera_is_waited_for_for_ever():
    assert parsed() == Patience() == Patience(hang_s=6.0, frozen_s=5.0, give_up_s=None)


def test_as_they_are_written():
    assert parsed("--reopen-for", "60s", "--frozen", "1min") == Patience(frozen_s=60.0, give_up_s=60.0)
    assert parsed("--frozen", "never") == Patience(frozen_s=None)


@pytest.mark.parametrize("text", ["0s", "5", "ever", ""])
def test_what_is_neither_duration_nor_never(text):
    with pytest.raises(argparse.ArgumentError, match="duration"):
        parsed("--frozen", text)
