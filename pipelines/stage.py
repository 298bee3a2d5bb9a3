"""Stage: named inputs, one config and one function make one fingerprinted directory.

A stage declares what it is; it holds no work of its own. Its output is `{store}/{Stage}/{fingerprint}/`, complete when
`manifest.json` is there with this stage's identity. The fingerprint digests stage, version, config, the inputs'
fingerprints and, for a stage that collects, the inventory of its sources; nothing else. The body runs in a process of
its own (`pipelines.execute`): a crash names the stage and ends with the last lines of its log.
"""

import functools
import importlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import luigi

from pipelines import fingerprint, terminal
from pipelines.machine import CPU, Machine, read_machine

S = TypeVar("S", bound="type[Stage]")
Recipe = Any
Need = "type[Stage] | Callable[[Recipe], type[Stage] | None]"

MANIFEST = "manifest.json"
LOG = "stage.log"
LOG_TAIL_LINES = 20
_FULL_BYTES = 64 << 10
"""Less than this free, and a failure is put down to the disk."""


class StageFailed(Exception):
    """The process of a stage ended badly; the message has the stage, the exit code, the log and its last lines."""


class RecipeParameter(luigi.Parameter):
    """The name of a recipe; an unknown one ends the command with the list of known ones."""

    def __init__(self, pipeline: str, recipes: Mapping[str, Callable[[], Recipe]]) -> None:
        super().__init__(default="laptop", description=f"{pipeline} recipe: {', '.join(recipes)}")
        self._pipeline = pipeline
        self._recipes = recipes

    @property
    def names(self) -> list[str]:
        """The known names."""
        return list(self._recipes)

    def normalize(self, x: str) -> str:
        """Refuse an unknown name: `SystemExit`, so that Luigi prints the message alone."""
        if x not in self._recipes:
            raise SystemExit(f"unknown {self._pipeline} recipe {x!r}; choose {', '.join(self._recipes)}")
        return x


def requires(**needs: Any) -> Callable[[S], S]:
    """Name the inputs of a stage: a Stage class, or a function from the recipe to one (to None: left out)."""

    def declare(stage: S) -> S:
        stage.needs = needs
        return stage

    return declare


@functools.cache
def machine() -> Machine:
    """Read this machine's settings once a process."""
    return read_machine()


@functools.cache
def resolve(reference: str) -> Any:
    """Import `package.module:name`."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


@functools.cache
def _inventory(reference: str, config: Any, machine_: Machine) -> dict[str, str]:
    function = resolve(reference)
    names = function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
    return dict(function(config, **{name: machine_.provide(name) for name in names if name != "config"}))


class Stage(luigi.Task):
    """One step of a recipe; subclasses declare, in dependency order, what the step is."""

    recipes: ClassVar[Mapping[str, Callable[[], Recipe]]]
    recipe: Any
    version: ClassVar[int] = 1
    """Bumped by hand when the function's meaning changes: its bytes, and all that is built from them, are made anew."""
    config: ClassVar[str | None] = None
    """The field of the recipe that this stage reads; dots go into nested ones."""
    build: ClassVar[str]
    """The function, as `package.module:name`; imported only in the process that runs it."""
    inventory: ClassVar[str | None] = None
    """For a stage that collects: the function from config and sources to `{source: digest}`."""
    by_shard: ClassVar[str | None] = None
    """For a stage each of whose files comes from one shard of `documents`: how finished shards are brought (`corpora.reuse`)."""
    place: ClassVar[str] = CPU
    """What the body needs of a cluster: cores, a GPU, or the launcher's ranks."""
    needs: ClassVar[dict[str, Any]] = {}

    @functools.cached_property
    def values(self) -> Recipe:
        """The resolved recipe."""
        return self.recipes[self.recipe]()

    def config_value(self) -> Any:
        """The one value of the recipe that this stage reads, or None."""
        value = self.values if self.config else None
        for name in (self.config or "").split("."):
            value = None if value is None else getattr(value, name)  # a part of a recipe that is switched off
        return value

    @functools.cached_property
    def inputs(self) -> dict[str, "Stage"]:
        """The input stages by name; one that the recipe leaves out is not there."""
        chosen = {name: need if isinstance(need, type) else need(self.values) for name, need in self.needs.items()}
        return {name: stage(recipe=self.recipe) for name, stage in chosen.items() if stage is not None}

    def requires(self) -> list["Stage"]:
        """Luigi's view of the inputs."""
        return list(self.inputs.values())

    @functools.cached_property
    def identity(self) -> dict[str, Any]:
        """All that decides this stage's bytes, as canonical data."""
        value: dict[str, Any] = {
            "stage": type(self).__name__,
            "version": self.version,
            "config": self.config_value(),
            "inputs": {name: stage.fingerprint for name, stage in self.inputs.items()},
        }
        if self.inventory:
            value["sources"] = _inventory(self.inventory, self.config_value(), machine())
        return fingerprint.canonical(value)  # type: ignore[no-any-return]

    @functools.cached_property
    def fingerprint(self) -> str:
        """Digest of the identity."""
        return fingerprint.digest(self.identity)

    @property
    def folder(self) -> Path:
        """The output directory, there or not."""
        return machine().root / type(self).__name__ / self.fingerprint

    @property
    def partial(self) -> Path:
        """Where the work happens until it is complete: a stable name, so that what is killed resumes."""
        return self.folder.with_name(f"{self.fingerprint}.partial")

    def manifest(self) -> dict[str, Any]:
        """Read the manifest of the complete output."""
        return json.loads((self.folder / MANIFEST).read_text())  # type: ignore[no-any-return]

    def complete(self) -> bool:
        """Whether the output is there and was made by this very identity; an unreadable manifest is no output."""
        try:
            return bool(self.manifest()["identity"] == self.identity)
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, KeyError, TypeError):
            return False

    def run(self) -> None:
        """Run the body in a process of its own, showing its progress; raise `StageFailed` with the log's last lines."""
        log = self.partial / LOG
        try:
            self.partial.mkdir(parents=True, exist_ok=True)
            log.touch()
        except OSError as error:
            raise StageFailed(f"{self.label} cannot start: {error}{self._disk()}") from error
        command = [
            sys.executable,
            "-m",
            "pipelines.submit" if machine().submits(self.place) else "pipelines.execute",
            type(self).__name__,
            self.recipe,
            self.fingerprint,
        ]
        with log.open("ab") as stream, terminal.StageLine(self.label, self.partial / "progress.json") as line:
            process = subprocess.Popen(
                command,
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=line.environment(),
            )
            try:
                while process.poll() is None:
                    line.show()
                    time.sleep(0.05)
            except BaseException:
                process.terminate()
                process.wait()
                raise
            if process.returncode:
                raise StageFailed(self._failure(process.returncode, log))
            line.done()

    @property
    def label(self) -> str:
        """How a person sees this stage: its name and its directory's."""
        return f"{type(self).__name__} {self.fingerprint}"

    def _failure(self, code: int, log: Path) -> str:
        path = log if log.exists() else self.folder / LOG
        tail = "\n".join(f"    {line}" for line in tail_lines(path))
        how = f"was killed by signal {-code}" if code < 0 else f"exited with {code}"
        return f"{self.label} {how}{self._disk()}; see {path}, which ends:\n{tail}"

    def _disk(self) -> str:
        """What to do when the store is full: the log, which lies in it, may not have taken a word of it."""
        root = machine().root
        if not root.exists() or shutil.disk_usage(root).free > _FULL_BYTES:
            return ""
        return (
            f"; the disk of {root} is full: free some space (`python -m pipelines clean`) or set [store] root "
            "in luigi.cfg, then run the same command: it goes on from what is finished"
        )


def tail_lines(path: Path, count: int = LOG_TAIL_LINES) -> list[str]:
    """Read the last lines of a log; an unreadable log has none."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 64 * 1024))
            return stream.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def ancestry(*roots: Stage) -> list[Stage]:
    """List the stages that the roots need, themselves included, each once, inputs before what is made from them."""
    order: dict[str, Stage] = {}

    def visit(stage: Stage) -> None:
        key = f"{type(stage).__name__}/{stage.fingerprint}"
        if key not in order:
            for need in stage.inputs.values():
                visit(need)
            order[key] = stage

    for root in roots:
        visit(root)
    return list(order.values())
