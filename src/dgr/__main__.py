"""``dgr`` and ``python -m dgr``: what must be said before the command line itself can be imported."""

import sys
from pathlib import Path

from dgr.core.errors import DGRError
from dgr.core.extras import needed
from dgr.core.paths import CONFIGS


def main() -> None:
    """Run a command in a checkout of the repository; elsewhere say that it needs one."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        import dgr

        print(dgr.__version__)
        return
    try:
        if not CONFIGS.is_dir() and "--help" not in arguments:
            raise DGRError(
                f"commands need a checkout of the repository, and there is no {CONFIGS} in {Path.cwd()}; "
                "start them from a checkout's top folder."
            )
        with needed("The command line"):
            from dgr import cli
    except DGRError as error:
        sys.exit(f"dgr: {error}")
    cli.main()


if __name__ == "__main__":
    main()
