import json

import pytest

from edgekit import cli
from edgekit.errors import DataError, EnvironmentLacks


def test_overview_lists_every_command(capsys):
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name}" in out for name in ("export", *cli.COMMANDS))
    assert "exit codes: 0 holds" in out


def test_nothing_asked_shows_the_overview_and_fails(capsys):
    assert cli.main([]) == 2
    assert "usage: edgekit COMMAND" in capsys.readouterr().out


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == "edgekit 0.1.0\n"


@pytest.mark.parametrize("name", ["export", *cli.COMMANDS])
def test_every_command_has_help_with_examples(name, capsys):
    assert cli.main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"usage: edgekit {name}" in out
    assert "examples:" in out
    assert "--json" in out


def test_unknown_command_is_one_line_and_names_the_choices(capsys):
    assert cli.main(["exprot"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no command 'exprot'" in err
    assert "export" in err


def test_bad_option_is_one_line_that_points_to_help(capsys):
    assert cli.main(["run", "--nope"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "edgekit run --help" in err


def test_bad_value_names_option_and_remedy(capsys):
    assert cli.main(["bench", "x.edge", "--runs", "many"]) == 2
    assert "--runs" in capsys.readouterr().err


class Failing:
    SUMMARY, EPILOG = "fails", "examples:"

    def __init__(self, error):
        self.error = error

    def add_arguments(self, parser):
        pass

    def run(self, args):
        raise self.error


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (DataError("data: expected a, got b", "give a"), 2, "data"),
        (EnvironmentLacks("camera 7: none here"), 3, "environment"),
        (PermissionError(13, "Permission denied", "/nowhere"), 2, "error"),
        (OSError(28, "No space left on device"), 2, "error"),
        (UnicodeEncodeError("utf-8", "caf\udce9.edge", 3, 4, "surrogates not allowed"), 2, "usage"),
    ],
)
def test_errors_become_one_line_and_an_object(monkeypatch, capsys, error, code, kind):
    monkeypatch.setattr(cli, "command_module", lambda name: Failing(error))
    assert cli.main(["run", "--json"]) == code
    captured = capsys.readouterr()
    body = json.loads(captured.out)
    assert body["schema"] == 1
    assert body["error"]["kind"] == kind
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_interrupt_leaves_quietly(monkeypatch, capsys):
    monkeypatch.setattr(cli, "command_module", lambda name: Failing(KeyboardInterrupt()))
    assert cli.main(["run"]) == 130
    assert capsys.readouterr().err == "edgekit: interrupted\n"


def test_export_without_the_exporter_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [])
    assert cli.main(["export", "x"]) == 3
    assert "pip install edgekit-export" in capsys.readouterr().err
    assert cli.main(["--help"]) == 0
    assert "needs edgekit-export" in capsys.readouterr().out


def test_options_may_stand_before_what_they_belong_to(capsys, tmp_path):
    """argparse alone gives an optional PROMPT the first place that it could have."""
    missing = str(tmp_path / "none.edge")
    assert cli.main(["chat", missing, "--max-tokens", "3", "a prompt"]) == 2
    assert "none.edge" in capsys.readouterr().err
    assert cli.main(["run", missing, "--variant", "int8", "photo.jpg"]) == 2
    assert "none.edge" in capsys.readouterr().err
