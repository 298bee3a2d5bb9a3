"""`python -m pipelines.execute STAGE RECIPE FINGERPRINT`: the body of one stage, in a process of its own.

The directory is locked while it is worked on, so a second run of the same stage waits and says who holds it. What a
killed run left in `{fingerprint}.partial/` is kept and continued. The manifest is written last, then the directory gets
its final name in one rename: a directory without `.partial` is always whole.
"""

import ctypes
import datetime
import fcntl
import inspect
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import luigi.task_register

import pipelines
from corpora import reuse
from pipelines import versions
from pipelines.machine import PROVIDED
from pipelines.reuse import with_reuse
from pipelines.stage import LOG, MANIFEST, Stage, machine, resolve

_NOT_OUTPUT = {MANIFEST, LOG, "progress.json"}
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run the named stage; the exit code is 0 only when its directory is complete."""
    name, recipe, expected = arguments
    end_with_parent()
    stage = luigi.task_register.Register.get_task_cls(name)(recipe=recipe)
    if stage.fingerprint != expected:
        raise SystemExit(
            f"{name} is {stage.fingerprint} now and was {expected} when the run was planned: "
            "a source changed in between; run the command again"
        )
    with locked(stage):
        if stage.complete():  # another run made it while this one waited
            shutil.rmtree(stage.partial, ignore_errors=True)
        else:
            execute(stage)
    return 0


def execute(stage: Stage) -> None:
    """Call the stage's function on its partial directory, write the manifest, and give the directory its name."""
    started, clock = datetime.datetime.now(datetime.timezone.utc), time.monotonic()
    stage.partial.mkdir(parents=True, exist_ok=True)
    metrics = resolve(stage.build)(stage.partial, **arguments_of(stage))
    notes = reuse.read_notes(stage.partial)
    manifest = {
        "stage": type(stage).__name__,
        "recipe": stage.recipe,
        "fingerprint": stage.fingerprint,
        "identity": stage.identity,
        "inputs": {name: f"{type(need).__name__}/{need.fingerprint}" for name, need in stage.inputs.items()},
        "files": inventory_files(
            stage.partial, {name: file for note in notes.values() for name, file in note.pop("files").items()}
        ),
        "shards": notes,
        "metrics": metrics,
        "started": started.isoformat(timespec="seconds"),
        "wall_seconds": round(time.monotonic() - clock, 3),
        **_usage(),
        "packages": versions.packages(),
        "python": platform.python_version(),
        "machine": {
            "system": platform.platform(),
            "processors": os.cpu_count(),
            "workers": machine().workers,
        },
        "commit": _commit(),
    }
    target = stage.partial / MANIFEST
    with target.open("w") as stream:
        json.dump(manifest, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    (stage.partial / "progress.json").unlink(missing_ok=True)
    shutil.rmtree(stage.partial / reuse.NOTES, ignore_errors=True)
    if stage.folder.exists():  # complete() said that it is no output: its manifest is older, foreign or unreadable
        aside = stage.folder.with_name(f"{stage.fingerprint}.{int(time.time())}.replaced")
        print(f"{stage.folder} has a manifest that is not of this version; it was moved to {aside.name}", flush=True)
        stage.folder.rename(aside)
    stage.partial.rename(stage.folder)


def arguments_of(stage: Stage) -> dict[str, Any]:
    """Collect what the stage's function asks for: its inputs' folders, its config, and parts of the machine."""
    arguments: dict[str, Any] = {name: need.folder for name, need in stage.inputs.items()}
    if stage.config:
        arguments["config"] = stage.config_value()
    asked = inspect.signature(resolve(stage.build)).parameters
    arguments.update({name: machine().provide(name) for name in PROVIDED if name in asked})
    if "engine" in arguments:
        arguments["engine"] = with_reuse(stage, arguments["engine"])
    return arguments


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Hold the stage's lock; wait for another holder, saying who it is. The kernel frees it when a process dies."""
    path = stage.partial.with_name(f"{stage.fingerprint}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open_locked(path, stage.label) as stream:
        stream.truncate(0)
        stream.write(f"{os.getpid()} on {platform.node()}")
        stream.flush()
        yield
        path.unlink()


def _open_locked(path: Path, label: str) -> TextIO:
    """Open and lock a file that still has its name once it is locked: its last holder may have removed it meanwhile."""
    while True:
        stream = path.open("a+")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            print(f"{label} is being made by process {stream.read().strip()}; waiting for it", flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        if path.exists() and os.path.samestat(path.stat(), os.fstat(stream.fileno())):
            return stream
        stream.close()


def inventory_files(folder: Path, known: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """List every output file with its size and SHA-256, in the order of their names; what is known is not read again."""
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name: known[name] if name in known else reuse.describe(path)
        for name, path in files.items()
        if name not in _NOT_OUTPUT and not name.startswith(f"{reuse.NOTES}/")
    }


def _usage() -> dict[str, Any]:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return {"cpu_seconds": round(cpu, 3), "peak_memory_bytes": max(own.ru_maxrss, children.ru_maxrss) * 1024}


def _commit() -> str | None:
    try:
        command = [
            "git",
            "-C",
            str(Path(pipelines.__file__).parent),
            "describe",
            "--always",
            "--dirty",
            "--abbrev=40",
        ]
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() or None


def end_with_parent() -> None:
    """Ask Linux to end this process when the driver dies, and turn SIGTERM into an exit that runs `finally` blocks."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
