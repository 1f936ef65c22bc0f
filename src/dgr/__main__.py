"""``dgr`` and ``python -m dgr``: the command line, with a user's mistake as one sentence."""

import sys
from pathlib import Path

from dgr.core.errors import DGRError
from dgr.core.extras import needed
from dgr.core.numerics import make_portable
from dgr.core.paths import CONFIGS
from dgr.plan.checkout.parent import end_with_dvc
from dgr.plan.checkout.stage_lock import stage_at_work
from dgr.plan.warm import run_warm


def main() -> None:
    """Run a command in a checkout of the repository; a user's mistake is one sentence and exit status 1."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        import dgr

        print(dgr.__version__)
        return
    try:
        make_portable()
        end_with_dvc()
        if (status := run_warm("dgr", arguments)) is not None:
            sys.exit(status)
        if not CONFIGS.is_dir() and "--help" not in arguments:
            raise DGRError(
                f"commands need a checkout of the repository, and there is no {CONFIGS} in {Path.cwd()}; "
                "start them from a checkout's top folder."
            )
        with needed("The command line"):
            from dgr import cli
        with needed("This command"), stage_at_work(cli.app, cli.STAGES, arguments):
            cli.app()
    except DGRError as error:
        sys.exit(f"dgr: {error}")
    except ModuleNotFoundError as error:
        sys.exit(f"dgr: the package '{error.name}' is not installed; run `pip install {error.name}`.")


if __name__ == "__main__":
    main()
