"""How jobs are asked for: the sections [slurm], [slurm.gpu] and [slurm.cpu] of luigi.cfg."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TRAINING = "training"
_READERS: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "float": float}


@dataclass(frozen=True, kw_only=True)
class SlurmOptions:
    """How jobs are asked for: section [slurm] of luigi.cfg."""

    account: str = ""
    partition: str = ""
    qos: str = ""
    time: str = ""
    """Limit of a job, in Slurm's form (1-00:00:00); a training goes on after it in the next. Empty: the partition's."""
    ranks_per_node: int = 8
    """Ranks of a full node, which is also how many GPUs it has."""
    gpu: str = "gpu"
    """The generic resource of one rank, such as gpu or gpu:h100; empty where there are none."""
    cpus_per_task: int = 0
    """Cores of a rank; 0 leaves it to the site."""
    memory: str = ""
    """Memory of a node, such as 900G; empty leaves it to the site."""
    container: str = ""
    """Image for `srun --container-image` (Pyxis)."""
    container_mounts: str = ""
    prefix: str = ""
    """Words before the command, such as `apptainer exec --nv image.sif`."""
    python: str = sys.executable
    """The interpreter on the nodes, or in the container."""
    setup: str = ""
    """Lines of shell before the ranks start: modules, variables of NCCL."""
    options: str = ""
    """More options of sbatch, a line each."""
    warning_seconds: int = 300
    """How long before the limit a training is told to save: more than a step and a checkpoint take."""
    poll_seconds: float = 10.0

    def __post_init__(self) -> None:
        for name, lowest in (("ranks_per_node", 1), ("cpus_per_task", 0), ("warning_seconds", 1)):
            if getattr(self, name) < lowest:
                raise ValueError(f"luigi.cfg [slurm] {name} must be at least {lowest}, got {getattr(self, name)}")
        if self.poll_seconds <= 0:
            raise ValueError(f"luigi.cfg [slurm] poll_seconds must be above 0, got {self.poll_seconds}")

    def nodes(self, ranks: int) -> tuple[int, int]:
        """Return nodes and ranks a node; ranks that do not fill their nodes are refused."""
        if ranks <= self.ranks_per_node:
            return 1, ranks
        if ranks % self.ranks_per_node:
            raise ValueError(
                f"{ranks} ranks do not fill nodes of {self.ranks_per_node}: set luigi.cfg [slurm] ranks_per_node to a "
                "divisor, or change the recipe's layout"
            )
        return ranks // self.ranks_per_node, self.ranks_per_node


def read_options(sections: Mapping[str, tuple[tuple[str, str], ...]], place: str) -> SlurmOptions:
    """Read the sections of luigi.cfg: that of the place over [slurm]; an unknown key or a bad number is refused by name."""
    values = _read_section("slurm", sections.get(TRAINING, ()))
    if place != TRAINING:
        alone = {"ranks_per_node": 1} if place == "gpu" else {"ranks_per_node": 1, "gpu": ""}
        values |= alone | _read_section(f"slurm.{place}", sections.get(place, ()))
    return SlurmOptions(**values)


def _read_section(section: str, pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    kinds = {each.name: str(each.type) for each in dataclasses.fields(SlurmOptions)}
    values: dict[str, Any] = {}
    for key, text in pairs:
        if key not in kinds:
            raise ValueError(f"luigi.cfg [{section}] {key} is not known; known are {', '.join(kinds)}")
        try:
            values[key] = _READERS[kinds[key]](text)
        except ValueError:
            raise ValueError(f"luigi.cfg [{section}] {key} must be a number, got {text!r}") from None
    return values
