"""The data engine: a work list of shards, over Daft; native on one machine, Ray where a cluster is named.

A frame of shard paths, one row a shard, goes to processes that each read, transform and write their shard. Content never
goes through a shuffle and Daft never writes the product's files (neither its row order nor its names are stable), so the
bytes are the same for any number of workers and on both runners. One worker or one shard runs in this process: starting
Daft's costs about 1.5 CPU seconds a process.

`workers` is a setting of the machine, never of a recipe.
"""

from __future__ import annotations

import importlib
import json
import os
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import SchemaError, processes, progress
from corpora.reuse import Linked, make


@dataclass(frozen=True)
class Engine:
    """Where shard functions run: `runner` native or ray, `address` of the Ray cluster, `workers` processes."""

    runner: str = "native"
    address: str | None = None
    workers: int = 1
    reuse: Linked | None = None
    """Where shards of a map stage may be finished already; set for one stage by whoever runs it."""

    def __post_init__(self) -> None:
        if self.runner not in ("native", "ray"):
            raise ValueError(f"Engine.runner must be native or ray, got {self.runner!r}")
        if self.workers < 1:
            raise ValueError(f"Engine.workers must be at least 1, got {self.workers}")

    def map_shards(self, function: Callable[..., Any], shards: Sequence[Path], *arguments: Any) -> list[Any]:
        """Call `function(path, *arguments)` for every shard; results, plain JSON data, in the order of the shards.

        `function` is a module-level function and `arguments` pickle. A `SchemaError` or `ValueError` of a shard is raised here
        as it is, any other exception of a worker as a `ShardFailed` with the shard and the traceback; a worker that ends is
        an error that names its shard. With `reuse`, shards that are finished somewhere are brought, and the function not
        called.
        """
        if "<" in function.__qualname__:
            raise ValueError(f"map_shards needs a module-level function, got {function.__qualname__}; move it out")
        if self.reuse is None:
            return self._map(function, shards, arguments)
        notes = self.reuse.take(shards)
        missing = [path for path in shards if path not in notes]
        made = self._map(make, missing, (self.reuse.made(), _reference(function), *arguments))
        results = dict(zip(missing, made, strict=True)) | {path: note["result"] for path, note in notes.items()}
        return [results[path] for path in shards]

    def _map(self, function: Callable[..., Any], shards: Sequence[Path], arguments: Sequence[Any]) -> list[Any]:
        if self.runner == "ray" and shards:
            return self._map_with_daft(function, shards, arguments)
        if min(self.workers, len(shards)) > 1:
            with (
                tempfile.TemporaryDirectory(prefix="shards-", ignore_cleanup_errors=True) as begun,
                processes.watched(),
            ):
                return self._map_with_daft(function, shards, arguments, begun)
        results = []
        for done, path in enumerate(shards, start=1):
            results.append(json.loads(json.dumps(function(path, *arguments))))  # as from a worker
            progress.report(done, len(shards), "shards")
        return results

    def _map_with_daft(
        self,
        function: Callable[..., Any],
        shards: Sequence[Path],
        arguments: Sequence[Any],
        begun: str | None = None,
    ) -> list[Any]:
        os.environ["DAFT_ANALYTICS_ENABLED"] = "0"  # it reports every import and run to its makers
        import daft

        if self.runner == "ray":
            from corpora.cluster import use_ray

            use_ray(self.address, self.workers)
        worker = daft.cls(_Worker, max_concurrency=max(1, min(self.workers, len(shards))), use_process=True)(
            _reference(function), tuple(arguments), begun, os.getpid()
        )
        frame = daft.from_pydict({"row": list(range(len(shards))), "path": [str(path.absolute()) for path in shards]})
        results: dict[int, Any] = {}
        try:
            for row in frame.into_batches(1).with_column("reply", worker(daft.col("path"))).iter_rows():
                results[row["row"]] = _value(row["reply"])
                progress.report(len(results), len(shards), "shards")
        except ShardFailed:
            raise
        except RuntimeError as error:
            if begun is not None and (lost := processes.unfinished(begun)):
                raise RuntimeError(processes.LOST.format(shards=" or ".join(lost))) from error
            raise
        return [results[index] for index in range(len(shards))]


def _reference(function: Callable[..., Any]) -> str:
    return f"{function.__module__}:{function.__qualname__}"


_CONTRACT_ERRORS = {error.__name__: error for error in (SchemaError, ValueError)}
"""Raised here as they were raised there; anything else is a `ShardFailed` with the worker's traceback."""


class ShardFailed(RuntimeError):
    """A shard function failed in its process; the message has the shard and the traceback."""


def _value(reply: str) -> Any:
    answer = json.loads(reply)
    if "error" in answer:
        raise _CONTRACT_ERRORS.get(answer["error"], ShardFailed)(answer["message"])
    return answer["value"]


class _Worker:
    """One process of the work list; resolves the function by name, so nothing but names and arguments travels."""

    def __init__(self, reference: str, arguments: tuple[Any, ...], begun: str | None, driver: int) -> None:
        module, _, name = reference.partition(":")
        self._function = getattr(importlib.import_module(module), name)
        self._arguments = arguments
        self._begun = begun
        if begun is not None:
            processes.end_with(driver)

    def __call__(self, path: str) -> str:
        with processes.begun(self._begun, path) if self._begun is not None else nullcontext():
            return self._answer(path)

    def _answer(self, path: str) -> str:
        try:
            return json.dumps({"value": self._function(Path(path), *self._arguments)})
        except tuple(_CONTRACT_ERRORS.values()) as error:
            name = next(name for name, kind in _CONTRACT_ERRORS.items() if isinstance(error, kind))
            return json.dumps({"error": name, "message": str(error)})
        except Exception:  # noqa: BLE001 - Daft would pass on the text of it alone, without the shard
            return json.dumps({"error": "", "message": f"a worker failed on {path}:\n{traceback.format_exc()}"})
