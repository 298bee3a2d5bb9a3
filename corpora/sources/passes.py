"""Tables of a run: where they are, what identity they have, and the passes over them.

A table is a dataset of the catalog that the recipe names, from the hub or from the copy that luigi.cfg [sources] has under
its name; or a folder of the user's with a mapping beside its files, which is read as other folders are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import records, shards
from corpora.collect import CollectConfig, Sources
from corpora.sources import digest
from corpora.sources.catalog import CATALOG, MAPPING, Dataset, own

if TYPE_CHECKING:
    from corpora.engine import Engine
    from corpora.sources.chosen import Rows

CONTENTS = ".contents"
"""Ending of the name in [sources] that says where a dataset's texts lie."""


def is_table(name: str, path: str) -> bool:
    """Whether a line of luigi.cfg [sources] is about a table, not about a folder of files."""
    return name in CATALOG or name.endswith(CONTENTS) or (Path(path).expanduser() / MAPPING).is_file()


def located(config: CollectConfig, sources: Sources, domain: str) -> Iterator[tuple[Dataset, Path | None]]:
    """List the tables of a run, each with the folder of its copy; None is the hub."""
    places = dict(sources.folders)
    for name in config.datasets:
        root = _folder(name, places[name]) if name in places else None
        dataset = (own(name, root) if root else None) or _known(name, places)
        if (dataset.domain == records.TEXT) != (domain == records.TEXT):
            field = "collect_text" if dataset.domain == records.TEXT else "collect_code"
            raise ValueError(
                f"{type(config).__name__}.datasets has {name}, which is {dataset.domain}; name it in {field}"
            )
        yield (dataset, root) if root else (_pinned(dataset, config), None)
    for name, path in places.items() if "folders" in config.kinds else ():
        if name not in config.datasets and name not in CATALOG and is_table(name, path) and not name.endswith(CONTENTS):
            root = _folder(name, path)
            mapped = own(name, root)
            if mapped and (mapped.domain == records.TEXT) == (domain == records.TEXT):
                yield mapped, root


def _folder(name: str, path: str) -> Path:
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"luigi.cfg [sources] {name} = {path}: no such folder; correct the path or take the line out")
    return root.resolve()


def _known(name: str, places: dict[str, str]) -> Dataset:
    if name in CATALOG:
        return CATALOG[name]
    where = f"{places[name]} has no {MAPPING}" if name in places else "luigi.cfg [sources] has no such name"
    raise ValueError(f"datasets has {name!r}: {where}, and the catalog has {', '.join(CATALOG)}")


def _pinned(dataset: Dataset, config: CollectConfig) -> Dataset:
    revision = dict(config.revisions).get(dataset.name) or dataset.revision
    if not revision:
        raise ValueError(
            f"dataset {dataset.name} has no verified commit: pin the one that you mean in the recipe, "
            f'revisions=(("{dataset.name}", "40 hex digits"),), from https://huggingface.co/datasets/{dataset.hub}/commits/main; '
            f"or name a copy in luigi.cfg: [sources] {dataset.name} = FOLDER"
        )
    return dataclasses.replace(dataset, revision=revision)


def inventory(config: CollectConfig, sources: Sources, domain: str) -> dict[str, str]:
    """Digest what each table is: the pinned commit, or the sizes and times of a copy's files; and how it is read.

    Where contents lie is not asked: they are named by their own digests.
    """
    from corpora.sources import tables

    found = {}
    for dataset, root in located(config, sources, domain):
        state = [
            part
            for one in (tables.local_inputs(dataset, root) if root else ())
            for stat in [Path(one.root, one.path).stat()]
            for part in (one.path, str(stat.st_size), str(stat.st_mtime_ns))
        ]
        found[dataset.name] = digest(dataset.identity(), *state)
    return found


def survey(out: Path, config: CollectConfig, sources: Sources, engine: Engine, domain: str) -> Rows | None:
    """Look through all tables: first pass. None without tables."""
    from corpora.sources import hub, narrow, tables
    from corpora.sources.chosen import Rows

    places = dict(sources.folders)
    inputs = []
    for dataset, root in located(config, sources, domain):
        placed = dataclasses.replace(dataset, contents=places.get(dataset.name + CONTENTS, dataset.contents))
        if dataset.columns.content and not placed.contents:
            raise ValueError(
                f"dataset {dataset.name} only names its texts; say where they lie: "
                f'"contents" in {MAPPING}, or luigi.cfg [sources] {dataset.name}{CONTENTS} = FOLDER'
            )
        inputs += tables.local_inputs(placed, root) if root else hub.inputs(placed)
    if not inputs:
        return None
    names = [f"input-{number:06d}" for number in range(len(inputs))]
    for name, one in zip(names, inputs, strict=True):
        shards.write_json(out / "inputs" / f"{name}.json", dataclasses.asdict(one))
    engine.map_shards(narrow.survey, _worklists(out, names), out, config, sources.opt_outs())
    return Rows(out, inputs, names, config)


def scatter(out: Path, rows: Rows, config: CollectConfig, sources: Sources, engine: Engine) -> list[list[str]]:
    """Read the chosen rows: second pass. Gives for each shard the inputs that have rows of it."""
    from corpora.sources import scatter as second

    rows.write()
    found = engine.map_shards(second.scatter, _worklists(out, rows.names), out, config, sources.opt_outs())
    inputs: list[list[str]] = [[] for _ in range(config.num_shards)]
    for name, mine in zip(rows.names, found, strict=True):
        for shard in mine:
            inputs[shard].append(name)
    return inputs


def _worklists(out: Path, names: list[str]) -> list[Path]:
    return [out / "inputs" / f"{name}.json" for name in names]
