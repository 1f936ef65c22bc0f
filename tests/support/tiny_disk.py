"""A file system of a few megabytes in memory, which root can mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def can_mount() -> bool:
    """Whether this process may make one."""
    return os.getuid() == 0 and shutil.which("mount") is not None and _mounts()


def _mounts() -> bool:
    return subprocess.run(("unshare", "--mount", "true"), capture_output=True, check=False).returncode == 0


@contextmanager
def tiny_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount one at a folder, and take it away afterwards."""
    folder.mkdir(parents=True)
    subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)), check=True)
    try:
        yield folder
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)
