"""Debian's SLURM with two small nodes on this machine, as the user who runs it: no service, no root, no cgroup."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from marked import MARK
from trial_project import environment

PROGRAMS = ("munged", "slurmctld", "slurmd", "slurmstepd", "sbatch", "srun", "sinfo", "scontrol")
WAY_IN = "apt-get install slurm-wlm munge"
NODES = ("small1", "small2")
SETTINGS = """
ClusterName=two
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/builtin
ReturnToService=2
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
SlurmdParameters=config_overrides
MinJobAge=600
"""
NODE = "NodeName={name} NodeAddr=127.0.0.1 NodeHostname={host} Port={port} CPUs=2 RealMemory=64000 Gres=gpu:2\n"
PARTITION = "PartitionName=all Nodes={nodes} Default=YES MaxTime=INFINITE State=UP\n"

FIELDS = {
    "state": "State",
    "node": "NodeList",
    "memory": "MinMemory",
    "time": "TimeLimit",
    "gpu": "tres-per-job",
    "comment": "Comment",
}
"""What is asked of a job, and what squeue calls it."""


def missing() -> list[str]:
    """Programs that a cluster needs and this machine does not have."""
    return [name for name in PROGRAMS if _program(name) is None]


@contextmanager
def cluster() -> Iterator[dict[str, str]]:
    """Two nodes that take jobs; gives the environment in which SLURM's commands find them.

    A node says that it has two GPUs, which are files: SLURM counts them, and nobody opens them.
    """
    with ExitStack() as stack:
        # Munge wants a socket that everybody can reach; the folders of pytest are private.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dgr-slurm-", dir="/tmp")))
        folder.chmod(0o755)
        _write_settings(folder)
        environment = os.environ | {
            MARK: folder.name,  # by which whatever is left can be found
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": os.pathsep.join((f"{folder}/bin", str(Path(sys.executable).parent), os.environ["PATH"])),
        }
        key = ("--key-file", f"{folder}/munge.key", "--seed-file", f"{folder}/munge.seed")
        place = ("--socket", f"{folder}/munge.socket", "--pid-file", f"{folder}/munged.pid")
        stack.enter_context(_daemon(folder, environment, "munged", "--foreground", "--force", *key, *place))
        _wait(lambda: (folder / "munge.socket").exists(), folder)
        stack.enter_context(_daemon(folder, environment, "slurmctld", "-D", "-i"))
        for name in NODES:
            stack.enter_context(_daemon(folder, environment, "slurmd", "-D", "-N", name))
        _wait(lambda: _idle(environment) == len(NODES), folder)
        yield environment


def run_on_slurm(root: Path, slurm: dict[str, str], *targets: str) -> tuple[str, list[dict[str, str]]]:
    """Run the profile as a person on a login node does, but without its patience; gives what was said, and all jobs."""
    patience = (
        "--slurm-init-seconds-before-status-checks",
        "1",
        "--seconds-between-status-checks",
        "1",
        "--retries",
        "0",
    )
    words = ("--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue", *patience, *targets)
    done = subprocess.run(
        ("snakemake", *words),
        cwd=root,
        env=slurm | environment(root, "slurm") | {"PATH": slurm["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    shown = (
        "squeue",
        "--states=all",
        "--noheader",
        f"--Format={','.join(f'{field}:200' for field in FIELDS.values())}",
    )
    lines = subprocess.run(shown, env=slurm, capture_output=True, text=True, check=True).stdout.splitlines()
    jobs = [
        dict(zip(FIELDS, (line[200 * i : 200 * i + 200].strip() for i in range(len(FIELDS))), strict=True))
        for line in lines
    ]
    return done.stderr, jobs


def _write_settings(folder: Path) -> None:
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o600)
    (folder / "state").mkdir()
    host = socket.gethostname().partition(".")[0]
    control, *ports = _free_ports(1 + len(NODES))
    text = SETTINGS.format(host=host, control=control, user=getpass.getuser(), folder=folder)
    for name, port in zip(NODES, ports, strict=True):
        (folder / f"spool-{name}").mkdir()
        text += NODE.format(name=name, host=host, port=port)
    (folder / "slurm.conf").write_text(text + PARTITION.format(nodes=",".join(NODES)))
    gpus = [folder / f"gpu{number}" for number in range(2)]
    for path in gpus:
        path.touch()
    (folder / "gres.conf").write_text("".join(f"Name=gpu File={path}\n" for path in gpus))
    # Snakemake starts a job's step without any variable of SLURM but those of the job.
    srun = folder / "bin/srun"
    srun.parent.mkdir()
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {_program("srun")} "$@"\n')
    srun.chmod(0o755)
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")


@contextmanager
def _daemon(folder: Path, environment: dict[str, str], name: str, *options: str) -> Iterator[None]:
    program = _program(name)
    assert program
    with (folder / f"{name}.said").open("ab") as log:
        process = subprocess.Popen((program, *options), env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))


def _idle(environment: dict[str, str]) -> int:
    done = subprocess.run(
        ("sinfo", "--noheader", "--Node", "--states=idle"), env=environment, capture_output=True, text=True, check=False
    )
    return len(done.stdout.splitlines())


def _wait(ready: Callable[[], bool], folder: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "\n".join(path.read_text()[-1500:] for path in folder.glob("*.[ls]*[gd]"))
        time.sleep(0.2)


def _free_ports(number: int) -> Sequence[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
