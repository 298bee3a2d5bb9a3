"""What is asked of Slurm: submit a script, find a job by its name, say how it is, cancel it.

Guarantees: while the controller does not answer (a restart, a failover) a question is asked again for `patience` seconds; a job
that was accepted although `sbatch` did not hear of it is found by its name, never submitted twice. Works without accounting:
`scontrol` is asked first, `sacct` only for a job that the controller has forgotten. Source: the manuals of sbatch, squeue,
scontrol and sacct, Slurm 22.05.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from specialize import TrainingFailed

_SILENT = re.compile(
    r"unable to contact|timed out|connection (refused|reset)|zero bytes|unexpected message|"
    r"resource temporarily|slurm_load_jobs error: communication|backup controller",
    re.IGNORECASE,
)
"""What the commands say when the controller is away; anything else is an answer."""
_UNKNOWN_JOB = "Invalid job id"
_FIELDS = re.compile(r"(\w+)=(\S*)")
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_COMMAND_SECONDS = 120.0

ENDED_WELL = "COMPLETED"
_ENDS = frozenset(
    {"CANCELLED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "NODE_FAIL", "REVOKED", "LOST"}
)
"""States that a job does not leave. PREEMPTED, REQUEUED, RESIZING, SUSPENDED and COMPLETING are on the way to another."""
LAUNCH_FAILED = "launch_failed_requeued_held"
"""Reason of a job that a node could not start: Slurm holds it until someone releases it."""
LOST = "LOST"
"""Ours: neither the controller nor the accounting knows the job."""


@dataclass(frozen=True)
class JobState:
    """How a job is."""

    name: str
    """Slurm's word, PENDING, RUNNING, COMPLETED, ...; or LOST."""
    reason: str = ""
    """Why it waits or what it ended of, in Slurm's words."""
    nodes: str = ""
    restarts: int = 0

    @property
    def ended(self) -> bool:
        """Whether the job will not run again by itself."""
        return self.name == ENDED_WELL or self.name in _ENDS


@dataclass(frozen=True)
class SlurmClient:
    """Slurm's commands, with patience."""

    patience: float = 1800.0
    """Seconds for which a controller that does not answer is asked again."""

    def submit(self, script: str, options: Sequence[str], *, name: str) -> str:
        """Submit a script under a name; return the job's number."""
        command = ["sbatch", "--parsable", f"--job-name={name}", *options, script]

        def accepted() -> str | None:  # asked before each further try: the lost answer may have been a yes
            return self.find(name)

        return self._ask(command, otherwise=accepted).strip().split(";")[0]

    def find(self, name: str) -> str | None:
        """Find this user's newest waiting or running job of that name."""
        text = self._ask(["squeue", "--me", "--noheader", f"--name={name}", "--format=%A"])
        return max(text.split(), key=int, default=None)

    def state(self, job: str) -> JobState:
        """Ask how a job is."""
        answer = self._ask(["scontrol", "--oneliner", "show", "job", job], allow=_UNKNOWN_JOB)
        if answer:
            fields = dict(_FIELDS.findall(answer.splitlines()[0]))
            nodes, restarts = fields.get("NodeList", ""), int(fields.get("Restarts", "0"))
            return JobState(fields["JobState"], fields.get("Reason", ""), nodes, restarts)
        return self._recorded(job)

    def cancel(self, job: str) -> None:
        """End a job, waiting or running; one that has ended is left alone."""
        self._ask(["scancel", job], allow=_UNKNOWN_JOB)

    def release(self, job: str) -> None:
        """Let a job run that Slurm holds since a node could not start it."""
        self._ask(["scontrol", "release", job], allow=_UNKNOWN_JOB)

    def _recorded(self, job: str) -> JobState:
        """Ask the accounting, where there is one."""
        if shutil.which("sacct"):
            command = ["sacct", "-X", "--noheader", "--parsable2", f"--jobs={job}", "--format=State,NodeList"]
            lines = self._ask(command, allow="disabled|not supported|association|slurmdbd").splitlines()
            if lines:
                state, _, nodes = lines[-1].partition("|")
                return JobState(state.split()[0], nodes=nodes)  # "CANCELLED by 1000"
        return JobState(LOST)

    def _ask(self, command: list[str], *, allow: str = "", otherwise: Callable[[], str | None] | None = None) -> str:
        """Run a command until Slurm answers; an error that `allow` matches is an empty answer."""
        end, wait = time.monotonic() + self.patience, _FIRST_WAIT
        while True:
            result = _run(command)
            if result.returncode == 0:
                return result.stdout
            said = result.stderr.strip()
            if allow and re.search(allow, said, re.IGNORECASE):
                return ""
            if not _SILENT.search(said):
                raise TrainingFailed(f"{command[0]} refused: {said or f'exit code {result.returncode}'}")
            if time.monotonic() + wait > end:
                raise TrainingFailed(f"Slurm has not answered {command[0]} for {self.patience:.0f} seconds: {said}")
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
            done = otherwise() if otherwise else None
            if done is not None:
                return done


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)
    except FileNotFoundError:
        raise TrainingFailed(
            f"luigi.cfg [launcher] kind = slurm needs Slurm's commands, and {command[0]} is not on the PATH: "
            "start the command on a login node"
        ) from None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]} timed out")
