"""The command line. Each command is a module of this package: it parses, calls one library function, prints."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from edgekit.cli.output import fail, prepare_streams, say, write
from edgekit.errors import EdgekitError, EnvironmentLacks, UsageError

COMMANDS = (
    "validate",
    "run",
    "chat",
    "camera",
    "bench",
    "inspect",
    "verify",
    "selftest",
    "doctor",
    "models",
    "advise",
    "decide",
)
"""Commands of this distribution, each a module of the same name, in the order of ``--help``."""

EXPORTERS = "edgekit.exporters"
"""Entry-point group through which ``edgekit-export`` brings its command module."""

DESCRIPTION = (
    "Small models on small devices: bundles within a size budget, with their measured accuracy drop."
)
EXIT_CODES = """\
exit codes: 0 holds · 1 a gate failed or is inconclusive · 2 bad input or usage · 3 the environment lacks something
Every command has --help with examples, and --json for machines."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing its usage and leaving, so that every error looks the same."""

    def print_help(self, file: Any = None) -> None:  # noqa: ANN401 (as argparse has it)
        """Prints the help as every other output."""
        write(self.format_help())

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"see {self.prog} --help")


def command_module(name: str) -> ModuleType:
    """The module of a command.

    Raises:
        EnvironmentLacks: ``export``, and ``edgekit-export`` is not installed.
    """
    if name != "export":
        return import_module(f"edgekit.cli.{name}")
    from importlib.metadata import entry_points  # half of what the command line imports

    found = entry_points(group=EXPORTERS, name="export")
    if not found:
        raise EnvironmentLacks(
            "edgekit export: the exporter is not installed", "pip install edgekit-export, on a workstation"
        )
    module: ModuleType = next(iter(found)).load()
    return module


def _summary(name: str) -> str:
    try:
        return str(command_module(name).SUMMARY)
    except EnvironmentLacks:
        return "builds a bundle within a size budget (needs edgekit-export)"


def _overview() -> str:
    rows = "\n".join(f"  {name:<9} {_summary(name)}" for name in ("export", *COMMANDS))
    return f"usage: edgekit COMMAND [options]\n\n{DESCRIPTION}\n\n{rows}\n\n{EXIT_CODES}\n"


def _parser(name: str, module: Any) -> argparse.ArgumentParser:  # noqa: ANN401 (a command module)
    parser = _Parser(
        prog=f"edgekit {name}",
        description=module.SUMMARY,
        epilog=module.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on stdout; progress stays on stderr"
    )
    # Else parse_intermixed_args takes the usage of the moment for a format, whose % are not escaped (Python 3.11).
    parser.usage = parser.format_usage().removeprefix("usage: ").replace("%", "%%")
    return parser


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        write(_overview())
        return 0 if argv else 2
    if argv[0] == "--version":
        from edgekit import __version__

        write(f"edgekit {__version__}\n")
        return 0
    name = argv[0]
    if name not in ("export", *COMMANDS):
        raise UsageError(f"no command {name!r}", f"choose from export, {', '.join(COMMANDS)}")
    module = command_module(name)
    args = _parser(name, module).parse_intermixed_args(argv[1:])
    return int(module.run(args))


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: arguments after the program's name; those of the process by default.

    Returns:
        The exit code: 0 holds, 1 a gate failed, 2 bad input or usage, 3 the environment lacks something.
    """
    argv = sys.argv[1:] if argv is None else argv
    as_json = "--json" in argv
    prepare_streams(as_json)
    try:
        return _dispatch(argv)
    except SystemExit as exit_:  # argparse's --help
        return int(exit_.code or 0)
    except EdgekitError as error:
        return fail(error, as_json)
    except BrokenPipeError:  # the reader of our output left, as `| head` does
        return 0
    except (
        UnicodeEncodeError
    ) as error:  # a path that is not UTF-8, on its way into a bundle, a report or results
        around = error.object[max(error.start - 40, 0) : error.end + 40]  # the whole may be a page
        what = f"{around!r}: the name is not UTF-8, and what holds it must be"
        return fail(UsageError(what, "rename it"), as_json)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return fail(
            EdgekitError(f"{error.strerror or error}{where}", "check the path, permissions and free space"),
            as_json,
        )
    except KeyboardInterrupt:
        say("edgekit: interrupted")
        return 130
