"""Commands of ``dgr`` one after the other in one process, which saves time: ``several.py "FOLDER COMMAND …" …``."""

import os
import shlex
import sys

from dgr.__main__ import main

for line in sys.argv[1:]:
    folder, *sys.argv[1:] = shlex.split(line)
    os.chdir(folder)
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
