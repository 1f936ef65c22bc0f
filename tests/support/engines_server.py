"""A warm process that knows Snakemake as well, for tests that start it often: ``engines_server.py ADDRESS``."""

import gc
import sys

from dgr.plan import warm_server

if __name__ == "__main__":
    # All at the first command, since many follow.
    warm_server.LIBRARIES = (("snakemake.cli", *(name for group in warm_server.LIBRARIES for name in group)),)
    gc.set_threshold(50_000, 10, 10)  # as in the tests themselves
    warm_server.serve(sys.argv[1])
