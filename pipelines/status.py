"""What exists (`status`), what makes a stage new (`why`), and what can go (`clean`)."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines import fingerprint
from pipelines.root import Root
from pipelines.stage import MANIFEST, Stage, ancestry, machine
from pipelines.terminal import duration, wide_console


def show_status(root: Root) -> None:
    """Print one line a stage: whether it is there, since when, how large, how long it took."""
    from rich.table import Table

    stages = ancestry(*root.requires())
    table = Table(title=f"{type(root).__name__} --recipe {root.recipe}   store {machine().root}")
    for name in ("stage", "fingerprint", "state", "made", "time", "size", "rows"):
        table.add_column(name, justify="right" if name in ("time", "size", "rows") else "left", no_wrap=True)
    for stage in stages:
        table.add_row(type(stage).__name__, stage.fingerprint, *_state(stage))
    console = wide_console()
    console.print(table)
    done = sum(stage.complete() for stage in stages)
    console.print(f"{done} of {len(stages)} stages are complete.", end=" ")
    following = f"luigi --module pipelines {type(root).__name__} --recipe {root.recipe}"
    console.print(f"Page: {root.page}" if root.page.exists() else f"Next: {following}", soft_wrap=True)


def show_why(stage: Stage) -> None:
    """Print what differs between a stage and its newest complete sibling of another fingerprint."""
    print(f"{stage.label} {'is complete' if stage.complete() else 'is not there'}")
    sibling = newest_sibling(stage)
    if sibling is None:
        print("No other output of this stage exists to compare with.")
        return
    print(f"Against {sibling['fingerprint']}, made {sibling['started']}:")
    for line in explain(stage, sibling):
        print(f"  {line}")


def explain(stage: Stage, sibling: dict[str, Any]) -> list[str]:
    """Name the fields and sources that differ from an older manifest; an input's change is followed to its cause."""
    lines = []
    for line in fingerprint.difference(sibling["identity"], stage.identity):
        lines.append(line)
        name = line.removeprefix("inputs.").partition(":")[0]
        if line.startswith("inputs.") and name in stage.inputs:
            need = stage.inputs[name]
            older = read_manifest(machine().root / sibling["inputs"][name]) if name in sibling["inputs"] else None
            lines.extend(f"  {type(need).__name__}: {cause}" for cause in (explain(need, older) if older else ()))
    return lines


def newest_sibling(stage: Stage) -> dict[str, Any] | None:
    """Find the manifest of the newest complete output of the same stage with another fingerprint."""
    folders = stage.folder.parent.glob("*")
    others = [read_manifest(folder) for folder in folders if folder.name != stage.fingerprint and not folder.suffix]
    return max((other for other in others if other), key=lambda manifest: str(manifest["started"]), default=None)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read a manifest, or None where there is none that can be read."""
    try:
        value = json.loads((folder / MANIFEST).read_text())
    except (OSError, json.JSONDecodeError):
        return None
    return value if isinstance(value, dict) and {"identity", "started", "fingerprint"} <= value.keys() else None


def clean(roots: Sequence[Root], *, delete: bool) -> None:
    """List, and with `delete` remove, partial outputs and outputs that none of these roots reaches."""
    store = machine().root
    reached = {stage.folder for stage in ancestry(*(stage for root in roots for stage in root.requires()))}
    reached |= {root.page.parent for root in roots}
    reached |= set(machine().make_earlier().paths())  # later batches are compared with them
    candidates = sorted(folder for folder in store.glob("*/*") if folder.is_dir() and folder not in reached)
    total = 0
    for folder in candidates:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        total += size
        kind = {".partial": "partial", ".slurm": "job"}.get(folder.suffix, "unreachable")
        print(f"{kind:12} {human_bytes(size):>9}  {folder}")
        if delete:
            shutil.rmtree(folder)
    verb = "freed" if delete else "can go; add --yes to delete them"
    print(f"{len(candidates)} folders, {human_bytes(total)} {verb} (what a known recipe reaches is kept)")


def human_bytes(count: float) -> str:
    """Write a size as a person reads it.

    >>> [human_bytes(n) for n in (512, 2_500_000, 3.6e11)]
    ['512 B', '2.5 MB', '360.0 GB']
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"


def _state(stage: Stage) -> tuple[str, ...]:
    if stage.complete():
        manifest = stage.manifest()
        size = sum(entry["bytes"] for entry in manifest["files"].values())
        rows = manifest["metrics"].get("kept", "") if isinstance(manifest["metrics"], dict) else ""
        made = manifest["started"][:16].replace("T", " ")
        return ("complete", made, duration(manifest["wall_seconds"]), human_bytes(size), str(rows))
    return ("partial" if stage.partial.exists() else "missing", "", "", "", "")
