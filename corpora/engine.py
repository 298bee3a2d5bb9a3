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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import SchemaError, progress


@dataclass(frozen=True)
class Engine:
    """Where shard functions run: `runner` native or ray, `address` of the Ray cluster, `workers` processes."""

    runner: str = "native"
    address: str | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if self.runner not in ("native", "ray"):
            raise ValueError(f"Engine.runner must be native or ray, got {self.runner!r}")
        if self.workers < 1:
            raise ValueError(f"Engine.workers must be at least 1, got {self.workers}")

    def map_shards(self, function: Callable[..., Any], shards: Sequence[Path], *arguments: Any) -> list[Any]:
        """Call `function(path, *arguments)` for every shard; results, plain JSON data, in the order of the shards.

        `function` is a module-level function and `arguments` pickle; a `SchemaError` or `ValueError` of a shard is raised
        here as it is, any other exception as Daft's `RuntimeError` with its text.
        """
        if "<" in function.__qualname__:
            raise ValueError(f"map_shards needs a module-level function, got {function.__qualname__}; move it out")
        if self.runner == "native" and min(self.workers, len(shards)) <= 1:
            results = []
            for done, path in enumerate(shards, start=1):
                results.append(json.loads(json.dumps(function(path, *arguments))))  # as from a worker
                progress.report(done, len(shards), "shards")
            return results
        return self._map_with_daft(function, shards, arguments)

    def _map_with_daft(
        self, function: Callable[..., Any], shards: Sequence[Path], arguments: Sequence[Any]
    ) -> list[Any]:
        import daft

        if self.runner == "ray":
            daft.set_runner_ray(self.address)
        worker = daft.cls(_Worker, max_concurrency=max(1, min(self.workers, len(shards))), use_process=True)(
            f"{function.__module__}:{function.__qualname__}", tuple(arguments)
        )
        frame = daft.from_pydict({"row": list(range(len(shards))), "path": [str(path.absolute()) for path in shards]})
        results: dict[int, Any] = {}
        for row in frame.into_batches(1).with_column("reply", worker(daft.col("path"))).iter_rows():
            results[row["row"]] = _value(row["reply"])
            progress.report(len(results), len(shards), "shards")
        return [results[index] for index in range(len(shards))]


_CONTRACT_ERRORS = {error.__name__: error for error in (SchemaError, ValueError)}
"""Raised here as they were raised there; anything else ends the run with the worker's traceback."""


def _value(reply: str) -> Any:
    answer = json.loads(reply)
    if "error" in answer:
        raise _CONTRACT_ERRORS[answer["error"]](answer["message"])
    return answer["value"]


class _Worker:
    """One process of the work list; resolves the function by name, so nothing but names and arguments travels."""

    def __init__(self, reference: str, arguments: tuple[Any, ...]) -> None:
        module, _, name = reference.partition(":")
        self._function = getattr(importlib.import_module(module), name)
        self._arguments = arguments

    def __call__(self, path: str) -> str:
        try:
            return json.dumps({"value": self._function(Path(path), *self._arguments)})
        except tuple(_CONTRACT_ERRORS.values()) as error:
            name = next(name for name, kind in _CONTRACT_ERRORS.items() if isinstance(error, kind))
            return json.dumps({"error": name, "message": str(error)})
