"""A real Slurm of two nodes on this machine: munged, slurmctld and two slurmd with a configuration of their own.

Up in about a second, as root or not; nothing outside its folder is touched. Made from Debian's packages slurm-wlm and munge; where
they are missing, `missing()` says what to install. GPUs are character devices that stand for them: root makes copies of
/dev/null, another user takes terminals.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
_COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel")
_CONFIGURATION = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=cred_expire=5,socket={root}/munge/sock
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=3
MinJobAge=3600
SlurmdTimeout=3
SlurmctldTimeout=3
ReturnToService=2
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
GresTypes=gpu
Prolog={root}/prolog
NodeName=n1 NodeAddr=127.0.0.1 NodeHostname={host} Port={port1} CPUs=4 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
NodeName=n2 NodeAddr=127.0.0.1 NodeHostname={host} Port={port2} CPUs=4 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=urgent Nodes=n[1-2] MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def missing() -> str:
    """Say what keeps a cluster from being made here; empty when nothing does."""
    absent = [name for name in _COMMANDS if not shutil.which(name, path=_PATH)]
    return f"{', '.join(absent)} not found: apt-get install slurm-wlm munge" if absent else ""


class Cluster:
    """A context: the daemons run inside it; `environment` has what Slurm's commands need."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SBATCH", "SQUEUE"))}
        self.environment |= {"SLURM_CONF": str(root / "slurm.conf"), "PATH": _PATH}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Cluster":
        for name in ("state", "log", "spool", "munge", "dev"):
            (self.root / name).mkdir(parents=True)
        self.root.chmod(0o755)
        (self.root / "munge").chmod(0o755)
        key = self.root / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self._configure()
        munge = {name: f"--{name}={self.root}/munge/{file}" for name, file in _MUNGE.items()}
        self._start("munged", "munged", "-F", *munge.values())
        self._wait((self.root / "munge" / "sock").exists, "munged")
        self.start("slurmctld")
        for node in ("n1", "n2"):
            self.start(node)
        self._wait(
            lambda: len(self.ask("sinfo", "-hN", "-p", "main", "-t", "idle", "-o", "%N").split()) == 2, "idle nodes"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.ask("scancel", "--me")
        for name in reversed(list(self._daemons)):
            self.stop(name, signal.SIGTERM)

    def start(self, name: str) -> None:
        """Start a daemon: slurmctld, n1 or n2."""
        self._start(name, *(("slurmctld", "-D") if name == "slurmctld" else ("slurmd", "-D", "-N", name)))

    def stop(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End a daemon as a fault would."""
        process = self._daemons.pop(name)
        process.send_signal(number)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask(self, *command: str) -> str:
        """Run one of Slurm's commands."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout

    def _configure(self) -> None:
        port = _free_ports(3)
        (self.root / "gres.conf").write_text(f"Name=gpu File={self._devices()}\n")
        values = {"root": self.root, "user": getpass.getuser(), "host": socket.gethostname().split(".")[0]}
        text = _CONFIGURATION.format(**values, port=port, port1=port + 1, port2=port + 2)
        (self.root / "slurm.conf").write_text(text)
        prolog = self.root / "prolog"
        prolog.write_text(f"#!/bin/sh\nexec test ! -e {self.root}/$SLURMD_NODENAME.is_bad\n")
        prolog.chmod(0o755)

    def _devices(self) -> str:
        try:
            for number in range(2):
                os.mknod(self.root / "dev" / f"gpu{number}", 0o020666, os.makedev(1, 3))
        except PermissionError:
            return "/dev/tty[0-1]"
        return f"{self.root}/dev/gpu[0-1]"

    def _start(self, name: str, *command: str) -> None:
        with (self.root / "log" / f"{name}.out").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _wait(self, ready: object, what: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not ready():  # type: ignore[operator]
            if time.monotonic() > end:
                logs = {path.name: path.read_text(errors="replace")[-500:] for path in (self.root / "log").iterdir()}
                raise TimeoutError(f"no {what} within {seconds} s: {logs}")
            time.sleep(0.05)


_MUNGE = {"key-file": "key", "socket": "sock", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}


def _free_ports(count: int) -> int:
    for base in range(26817, 60000, 64):
        try:
            for number in range(count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + number))
        except OSError:
            continue
        return base
    raise RuntimeError("no free ports")
