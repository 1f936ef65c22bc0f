"""``dgr`` and ``python -m dgr``: the command line, with a user's mistake as one sentence."""

import errno
import os
import signal
import sys
from io import TextIOWrapper

from dgr.core.errors import DGRError
from dgr.core.extras import needed
from dgr.core.numerics import make_portable
from dgr.plan.system import check_address_space, check_folder, check_supported
from dgr.plan.warm import run_warm

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""Of a place that output goes to."""


def main() -> None:
    """Run a command in a checkout of the repository; a user's mistake is one sentence and exit status 1."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        import dgr

        print(dgr.__version__)
        return
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal or log that knows ASCII alone is no reason to stop
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        check_supported()
        check_address_space()
        from dgr.plan.checkout.parent import end_with_dvc
        from dgr.plan.checkout.stage_lock import check_typed, stage_at_work

        make_portable()
        end_with_dvc()
        if (status := run_warm("dgr", arguments)) is not None:
            sys.exit(status)
        if "--help" not in arguments:
            check_folder()
        with needed("The command line"):
            from dgr import cli
        with needed("This command"):
            check_typed(cli.app, cli.STAGES, arguments)
        with needed("This command"), stage_at_work(cli.app, cli.STAGES, arguments):
            cli.app()
    except KeyboardInterrupt:  # while it waits for another process; a command says so itself
        print("dgr: interrupted.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except DGRError as error:
        sys.exit(f"dgr: {error}")
    except OSError as error:
        if error.errno not in FULL or error.filename is not None:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left of the output would be told of once more
        sys.exit(f"dgr: The output cannot be written: {error.strerror}; make room where it goes, and run again.")
    except ModuleNotFoundError as error:
        sys.exit(f"dgr: the package '{error.name}' is not installed; run `pip install {error.name}`.")


if __name__ == "__main__":
    main()
