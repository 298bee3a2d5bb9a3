"""Which shards of earlier outputs a stage may take: those of the same stage, version, config and other inputs.

A stage that maps shards says with `by_shard` how they are brought (`corpora.reuse`). An earlier output counts only if it was
made under the same Python and the same versions of the packages that decide bytes, so what is reused is what would be made.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpora.engine import Engine
from corpora.reuse import Earlier, Linked
from pipelines import versions
from pipelines.stage import Stage, resolve
from pipelines.status import read_manifest

SHARDED = "documents"
"""The input whose shards are mapped; what the others hold is the same for every shard."""


def with_reuse(stage: Stage, engine: Engine) -> Engine:
    """Give an engine that brings what is finished, for a stage that maps shards."""
    if stage.by_shard is None:
        return engine
    kind: type[Linked] = resolve(stage.by_shard)
    return replace(engine, reuse=kind(out=stage.partial, inputs=_digests(stage), earlier=dict(_earlier(stage))))


def _digests(stage: Stage) -> dict[str, str]:
    """Give the SHA-256 of every shard of the mapped input, as its manifest has it."""
    if SHARDED not in stage.inputs:
        return {}
    need = stage.inputs[SHARDED]
    return {str(need.folder / name): entry["sha256"] for name, entry in need.manifest()["files"].items()}


def _earlier(stage: Stage) -> Iterator[tuple[str, Earlier]]:
    """List the shards of all outputs that may be taken, by what they were made from; the newest output comes last."""
    folders = (folder for folder in stage.folder.parent.glob("*") if not folder.suffix)
    found = [(folder, manifest) for folder in folders if (manifest := read_manifest(folder)) and _fits(stage, manifest)]
    for folder, manifest in sorted(found, key=lambda pair: str(pair[1]["started"])):
        yield from _shards(folder, manifest)


def _shards(folder: Path, manifest: dict[str, Any]) -> Iterator[tuple[str, Earlier]]:
    for name, note in manifest.get("shards", {}).items():
        if note["input"]:
            yield note["input"], Earlier(folder, name)


_IDENTITY = {"stage", "version", "config", "inputs"}


def _fits(stage: Stage, manifest: dict[str, Any]) -> bool:
    """Whether shards of an output are made as this stage makes them; an older kind of manifest does not say."""
    if not manifest["identity"].keys() >= _IDENTITY:
        return False
    return bool(_method(stage.identity) == _method(manifest["identity"]) and versions.same(manifest))


def _method(identity: dict[str, Any]) -> dict[str, Any]:
    """What decides a shard besides the shard it is made from."""
    inputs = {name: value for name, value in identity["inputs"].items() if name != SHARDED}
    collects = SHARDED not in identity["inputs"]
    sources = None if collects else identity.get("sources")  # a collection knows each file by itself
    return {"inputs": inputs, "sources": sources, **{key: identity[key] for key in ("stage", "version", "config")}}
