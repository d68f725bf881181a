"""`impasto`: one command, a verb, and errors of one line."""

import sys

import tyro

from impasto.cli.commands import COMMANDS
from impasto.errors import ImpastoError
from impasto.version import __version__

DESCRIPTION = "From a folder of pictures to a generator you can trust."


def main(arguments: list[str] | None = None) -> None:
    """Runs one command and exits: 0 when it is done, 2 on bad input, 1 when training could not go on."""
    words = sys.argv[1:] if arguments is None else arguments
    if words == ["--version"]:
        print(__version__)
        return
    command = tyro.extras.subcommand_cli_from_dict(
        dict(COMMANDS),
        prog="impasto",
        description=DESCRIPTION,
        args=words,
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.AvoidSubcommands),
    )
    from impasto.cli import styling, using, verbs  # each knows what some of the commands do

    del styling, using
    try:
        verbs.run(command)
    except ImpastoError as error:
        print(f"impasto: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        raise SystemExit(0) from None  # the reader of our output, such as `head`, has had enough
    except KeyboardInterrupt:
        print("impasto: interrupted", file=sys.stderr)
        raise SystemExit(130) from None
