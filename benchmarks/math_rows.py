"""How fast math rows are made and verified: `python benchmarks/math_rows.py [--seeds N]`.

Rows a CPU second of one process for each kind that rules make, from GSM8K's training split, with reading and writing; and what
verifying them costs, whose programs run in the sandbox, its processes included. No package makes such rows, so there is no peer.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from corpora.engine import Engine
from corpora.math.backward import BackwardConfig, augment_backward
from corpora.math.compose import ComposeConfig, augment_compose
from corpora.math.drills import ALL_TOPICS, DrillsConfig, augment_drills
from corpora.math.program import ProgramConfig, augment_program
from corpora.math.renumber import RenumberConfig, augment_renumber
from corpora.math.seeds import SeedsConfig, collect_seeds
from corpora.math.tools import ToolsConfig, augment_tools
from corpora.math.verify import VerifyAnswersConfig, verify_answers

KINDS: dict[str, tuple[Callable[..., dict[str, object]], Any]] = {
    "renumber": (augment_renumber, RenumberConfig(variants=8)),
    "backward": (augment_backward, BackwardConfig()),
    "compose": (augment_compose, ComposeConfig()),
    "program": (augment_program, ProgramConfig()),
    "tools": (augment_tools, ToolsConfig()),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=500, help="seeds of GSM8K (default: 500; it has 7,473)")
    options = parser.parse_args()
    engine = Engine(workers=1)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        measure("seeds", root, collect_seeds, config=SeedsConfig(max_seeds=options.seeds, num_shards=1))
        for kind, (make, config) in KINDS.items():
            measure(kind, root, make, problems=root / "seeds", config=config, engine=engine)
        measure("drills", root, augment_drills, config=DrillsConfig(train_rows=10 * options.seeds, topics=ALL_TOPICS))
        made = {kind: root / kind for kind in KINDS} | {"drills": root / "drills"}
        config = VerifyAnswersConfig()
        measure("verify", root, verify_answers, problems=root / "seeds", config=config, engine=engine, **made)


def measure(name: str, root: Path, make: Callable[..., dict[str, object]], **arguments: Any) -> None:
    """Run a stage function into a folder and print its rate."""
    out = root / name
    out.mkdir()
    before = cpu_seconds()
    counts = make(out, **arguments)
    seconds = cpu_seconds() - before
    rows = int(str(counts["kept"]))
    print(f"{name:10} {rows:8,} rows {seconds:7.2f} CPU s {rows / seconds:8,.0f} rows a CPU s", flush=True)


def cpu_seconds() -> float:
    """Give what this process and those it waited for have used."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
