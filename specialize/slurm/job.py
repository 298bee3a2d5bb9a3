"""The job of a folder: found or submitted, waited for, cancelled with its caller, its failure explained."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpora import progress
from specialize import SAVED_AND_STOPPED, TrainingFailed
from specialize.launch import failure, log_of, tail
from specialize.slurm.client import LAUNCH_FAILED, LOST, JobState, SlurmClient
from specialize.slurm.options import SlurmOptions
from specialize.slurm.script import job_script, sbatch_options

SUFFIX = ".slurm"
"""Of the folder beside the stage's own, while a job is under way or failed: script, record, log, what became of ranks."""
_MAX_RELEASES = 3
_PARENT_SECONDS = 1.0
_FORCED = (137, 143)
"""Codes of ranks that were ended because another one failed: never the first cause."""


def control_folder(work: Path) -> Path:
    """Say where a job for a stage's folder is kept track of: beside it, since a finished stage's folder is renamed."""
    return work.with_name(work.name.removesuffix(".partial") + SUFFIX)


def job_name(folder: Path) -> str:
    """Name the job of a folder: stage, fingerprint, and a digest of the path, since a user may have two stores."""
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    return f"{folder.parent.name}-{folder.name.removesuffix(SUFFIX)}-{digest}"


@dataclass(frozen=True, kw_only=True)
class Slurm:
    """Runs commands as jobs of a cluster whose nodes share the store and the environment with this machine."""

    options: SlurmOptions
    client: SlurmClient = field(default_factory=SlurmClient)

    def run(self, module: str, arguments: Sequence[str], *, ranks: int, log: Path) -> None:
        """Run the ranks to their end, on as many nodes as they need; attach to the job of a killed driver."""
        folder = control_folder(log.absolute().parent)
        folder.mkdir(parents=True, exist_ok=True)
        script = job_script(self.options, [module, *arguments], ranks=ranks, log=log.absolute(), folder=folder)
        job = _Job(self, folder, script, ranks, log.absolute())
        with job.attached():
            job.wait()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class _Job:
    """One job of one folder, from submission to its end."""

    slurm: Slurm
    folder: Path
    script: str
    ranks: int
    log: Path
    number: str = ""
    shown: str = ""
    releases: int = 0

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """Find or submit the job; if the caller is stopped, cancel it, unless the caller's own parent is gone."""
        parent = os.getppid()
        try:
            self.number = self._running() or self._submit()
            yield
        except (KeyboardInterrupt, SystemExit):
            self.number = self.number or self.slurm.client.find(job_name(self.folder)) or ""  # stopped inside sbatch
            if self.number and not _is_gone(parent):
                self._cancel()
            elif self.number:
                print(f"the driver is gone; Slurm job {self.number} goes on, and the same command finds it", flush=True)
            raise

    def _cancel(self) -> None:
        """Cancel the job, whatever else is sent to this process meanwhile: it is about to end."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
        self.slurm.client.cancel(self.number)
        print(f"Slurm job {self.number} was cancelled", flush=True)

    def wait(self) -> None:
        """Return when the job has ended well; submit it again when its ranks saved and stopped."""
        while True:
            state = self.slurm.client.state(self.number)
            self._show(state)
            if state.ended:
                code = self._exit_code()
                if code == 0:
                    return
                if code != SAVED_AND_STOPPED:
                    raise TrainingFailed(self._failure(state))
                print(f"Slurm job {self.number} saved and stopped at its time limit; it is submitted again", flush=True)
                self.number = self._submit()
            if state.reason == LAUNCH_FAILED:
                self._release()
            time.sleep(self.slurm.options.poll_seconds)

    def _release(self) -> None:
        """Let Slurm try another node, a few times: a fault of the script itself would go on for ever."""
        self.releases += 1
        if self.releases > _MAX_RELEASES:
            self.slurm.client.cancel(self.number)
            raise TrainingFailed(
                f"Slurm job {self.number} could not be started on {self.releases} nodes and was cancelled; "
                "ask the site for the nodes' logs (`sinfo -R` lists nodes that are put aside)"
            )
        self.slurm.client.release(self.number)

    def _running(self) -> str | None:
        """Find a job of an earlier driver that has not ended, or has ended well."""
        record = self.folder / "job.json"
        if record.exists():
            number = str(json.loads(record.read_text())["job"])
            state = self.slurm.client.state(number)
            if not state.ended or self._exit_code() == 0:
                print(f"attached to Slurm job {number}, {state.name.lower()}", flush=True)
                return number
        found = self.slurm.client.find(job_name(self.folder))
        if found:
            print(f"attached to Slurm job {found}", flush=True)
            self._note(found)
        return found

    def _submit(self) -> str:
        for path in [self.folder / "exit", *self.folder.glob("failed.*")]:
            path.unlink(missing_ok=True)
        script = self.folder / "job.sh"
        script.write_text(self.script)
        options = [*sbatch_options(self.slurm.options, self.ranks), f"--output={self.folder / 'job.log'}"]
        number = self.slurm.client.submit(str(script), options, name=job_name(self.folder))
        self._note(number)
        print(f"submitted Slurm job {number}", flush=True)
        return number

    def _note(self, number: str) -> None:
        temporary = self.folder / "job.json.tmp"
        temporary.write_text(json.dumps({"job": number}))
        temporary.replace(self.folder / "job.json")

    def _show(self, state: JobState) -> None:
        """Say a change of state, and on the terminal what a waiting job waits for."""
        reason = f" ({state.reason})" if state.reason not in ("", "None") else ""
        line = f"Slurm job {self.number} {state.name.lower()}{reason}" + (f" on {state.nodes}" * bool(state.nodes))
        if line != self.shown:
            print(line, flush=True)
            self.shown = line
        if state.name == "PENDING":
            progress.report(0, None, "steps", queue=f"job {self.number}, {state.reason}")

    def _exit_code(self) -> int | None:
        """Read what the job's script wrote last; None when it was killed before."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "exit").read_text())
        return None

    def _failure(self, state: JobState) -> str:
        causes = [cause for cause in self._failed() if cause.code not in _FORCED] or self._failed()
        if causes and state.name == "FAILED":
            first, log = causes[0], log_of(self.log, causes[0].rank)
            where = f" on {first.node} (Slurm job {self.number})"
            return failure(first.code, first.rank, log, where=where)
        how = f"ended as {state.name}" if state.name != LOST else "is gone and left no record"
        log = self.folder / "job.log"
        lines = [f"Slurm job {self.number} {how}{_CURES.get(state.name, '')}; see {log}, which ends:", *tail(log)]
        return "\n".join([*lines, f"and {self.log}:", *tail(self.log)])

    def _failed(self) -> list[_Failed]:
        """List the ranks that said how they failed, first things first."""
        paths = sorted(self.folder.glob("failed.*"), key=lambda path: path.stat().st_mtime_ns)
        ends = [(int(path.suffix[1:]), path.read_text().split()) for path in paths]
        return [_Failed(rank, words[0], int(words[1])) for rank, words in ends if len(words) == 2]


def _is_gone(parent: int) -> bool:
    """Whether this process has lost its parent; the signal that says so is sent when the first of its threads has died."""
    end = time.monotonic() + _PARENT_SECONDS
    while os.getppid() == parent and time.monotonic() < end:
        time.sleep(0.05)
    return os.getppid() != parent


@dataclass(frozen=True)
class _Failed:
    rank: int
    node: str
    code: int


_CURES = {
    "TIMEOUT": ": its time limit is too short for this stage (luigi.cfg [slurm] time)",
    "OUT_OF_MEMORY": ": give it more (luigi.cfg [slurm] memory), or another layout in the recipe",
}
