"""Where and with what a run works, from `luigi.cfg`: the store, the sources, the bases, the data engine, the launcher.

Nothing here is part of a fingerprint: the same recipe on another machine gives the same directories. (What a source
*contains* is: its inventory enters the fingerprint of the stage that collects it.)
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import luigi.configuration

if TYPE_CHECKING:
    from corpora.benchmarks.files import BenchmarkFiles
    from corpora.code.malware import Clamd
    from corpora.collect import Sources
    from corpora.dedup import Earlier
    from corpora.engine import Engine
    from corpora.math.seedsets import SeedFiles
    from corpora.quality.labels import LabelFiles
    from corpora.teacher import Teacher
    from specialize.base import Bases
    from specialize.launch import Launcher

LAUNCHERS = ("local", "slurm")
RUNNERS = ("native", "ray")
TRAINING, GPU, CPU = "training", "gpu", "cpu"
"""Places of a stage: many ranks of the launcher, one process with a GPU, one process with many cores."""


@dataclass(frozen=True)
class Machine:
    """The settings of this machine; heavy objects are made from them only in the process that needs them."""

    root: Path
    """Folder of the store, absolute."""
    workers: int
    """Processes of a data stage."""
    runner: str
    address: str | None
    """Address of a Ray cluster; only with runner = ray."""
    launcher: str
    sources: tuple[tuple[str, str], ...]
    opt_out: str | None
    """File with owners and repositories that are not read."""
    bases: tuple[tuple[str, str], ...]
    clamd: str | None = None
    """Where clamd listens: the path of its socket, or host:port."""
    labels: tuple[tuple[str, str], ...] = ()
    benchmarks: tuple[tuple[str, str], ...] = ()
    """Files of benchmarks that recipes name beside the shipped ones."""
    seeds: tuple[tuple[str, str], ...] = ()
    """Files or folders of seed sets that math recipes name."""
    earlier: tuple[str, ...] = ()
    """Folders of IndexDuplicates of earlier batches, oldest first."""
    teacher: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The section as it stands; it may hold a key."""
    slurm: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Sections [slurm], [slurm.gpu] and [slurm.cpu], by the place of a stage; the first is what the others start from."""

    def provide(self, name: str) -> Any:
        """Make what a stage function asks for by the name of its parameter."""
        makers: dict[str, Callable[[], Any]] = {
            "engine": self.make_engine,
            "launcher": self.make_launcher,
            "sources": self.make_sources,
            "bases": self.make_bases,
            "workers": lambda: self.workers,
            "clamd": self.make_clamd,
            "label_files": self.make_label_files,
            "teacher": self.make_teacher,
            "benchmark_files": self.make_benchmark_files,
            "seed_files": self.make_seed_files,
            "earlier": self.make_earlier,
        }
        return makers[name]()

    def make_engine(self) -> "Engine":
        """Make the data engine."""
        from corpora.engine import Engine

        return Engine(runner=self.runner, address=self.address, workers=self.workers)

    def make_launcher(self, place: str = TRAINING) -> "Launcher":
        """Make the launcher of training commands, or of the stages that have another place."""
        if self.launcher == "slurm":
            from specialize.slurm import Slurm, read_options

            return Slurm(options=read_options(dict(self.slurm), place))
        from specialize.launch import Local

        return Local()

    def submits(self, place: str) -> bool:
        """Whether the body of a stage is a job of its own: on a cluster all but a training, which only waits for its ranks."""
        return self.launcher == "slurm" and place != TRAINING

    def make_sources(self) -> "Sources":
        """Make the named folders and git checkouts; a missing folder is refused here."""
        from corpora.collect import Sources

        return Sources(folders=self.sources, opt_out=self.opt_out)

    def make_bases(self) -> "Bases":
        """Make the table of local base checkpoints."""
        from specialize.base import Bases

        return Bases(folders=self.bases)

    def make_clamd(self) -> "Clamd":
        """Make the address of clamd."""
        from corpora.code.malware import Clamd

        return Clamd(address=self.clamd) if self.clamd else Clamd()

    def make_label_files(self) -> "LabelFiles":
        """Make the table of files with labels."""
        from corpora.quality.labels import LabelFiles

        return LabelFiles(files=self.labels)

    def make_teacher(self) -> "Teacher":
        """Make the teacher, with its kept replies in the store unless another folder is named."""
        from corpora.teacher import from_settings

        return from_settings(dict(self.teacher), default_cache=self.root / "teacher")

    def make_benchmark_files(self) -> "BenchmarkFiles":
        """Make the table of files of benchmarks."""
        from corpora.benchmarks.files import BenchmarkFiles

        return BenchmarkFiles(paths=self.benchmarks)

    def make_seed_files(self) -> "SeedFiles":
        """Make the table of files of seed sets."""
        from corpora.math.seedsets import SeedFiles

        return SeedFiles(paths=self.seeds)

    def make_earlier(self) -> "Earlier":
        """Make the list of indexes of earlier batches."""
        from corpora.dedup import Earlier

        return Earlier(folders=self.earlier)


_SLURM_SECTIONS = {TRAINING: "slurm", GPU: "slurm.gpu", CPU: "slurm.cpu"}
PROVIDED = (
    "engine",
    "launcher",
    "sources",
    "bases",
    "workers",
    "clamd",
    "label_files",
    "teacher",
    "benchmark_files",
    "seed_files",
    "earlier",
)
"""What a stage function may ask for besides its inputs and its config."""


def read_machine() -> Machine:
    """Read `luigi.cfg` over the packaged defaults; every value that cannot be is refused with its section and key."""
    config = luigi.configuration.get_config()
    return Machine(
        root=Path(config.get("store", "root", "runs")).expanduser().absolute(),
        workers=_workers(config.get("engine", "workers", "auto")),
        runner=_choice("engine", "runner", config.get("engine", "runner", "native"), RUNNERS),
        address=config.get("engine", "address", "") or None,
        launcher=_choice("launcher", "kind", config.get("launcher", "kind", "local"), LAUNCHERS),
        slurm=tuple((place, _section(config, section)) for place, section in _SLURM_SECTIONS.items()),
        sources=_section(config, "sources"),
        opt_out=config.get("opt_out", "list", "") or None,
        bases=_section(config, "bases"),
        clamd=config.get("clamd", "address", "") or None,
        labels=_section(config, "labels"),
        teacher=_section(config, "teacher"),
        benchmarks=_section(config, "benchmarks"),
        seeds=_section(config, "seeds"),
        earlier=tuple(line.strip() for line in config.get("duplicates", "earlier", "").splitlines() if line.strip()),
    )


def _workers(text: str) -> int:
    if text == "auto" and os.environ.get("SLURM_CPUS_PER_TASK", "").isdigit():
        return int(os.environ["SLURM_CPUS_PER_TASK"])  # where the site does not bind tasks to their cores
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"luigi.cfg [engine] workers must be auto or at least 1, got {text!r}")
    return int(text)


def _choice(section: str, key: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"luigi.cfg [{section}] {key} must be one of {', '.join(choices)}, got {value!r}")
    return value


def _section(config: Any, name: str) -> tuple[tuple[str, str], ...]:
    if not config.has_section(name):
        return ()
    defaults = set(config.defaults())
    return tuple(sorted((key, value) for key, value in config.items(name) if key not in defaults))
