"""The checkpoints of a running training: written while it goes on, checked before they are believed.

Guarantees: what is restored has the bytes that were written, by SHA-256; a damaged newest checkpoint is put aside, named, and
the one before it taken; a full disk costs that one checkpoint and a line of the log, nothing half-written stays, training
goes on. Costs one more reading of what was written (about 1.5 GB/s a rank, ranks share the files). Megatron writes in a forked
process, from a copy-on-write image of host memory: on CPU nothing is copied but what training changes meanwhile.

An error while the small common part is written (rank 0 alone, first) ends a run of several ranks, with its reason.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from megatron.core.dist_checkpointing.strategies.async_utils import AsyncCallsQueue
from torch.distributed.checkpoint.api import CheckpointException

from specialize import retention
from specialize.checkpoint import Position, begin, chunks_of, finish, load_state, state_of, write
from specialize.config import TrainConfig
from specialize.retention import DAMAGED, SUMS, read_sums, step_folder, steps_in

_BYTES_PER_PARAMETER = 16
"""Written at most: BF16 or FP32 weights, FP32 master weights, two FP32 moments."""
_CHUNK = 1 << 22


class Saves:
    """All ranks make the same calls in the same order."""

    def __init__(self, folder: Path, model: Any, optimizer: Any, config: TrainConfig) -> None:
        self._folder, self._model, self._optimizer, self._config = folder, model, optimizer, config
        self._queue = AsyncCallsQueue()
        self._written: tuple[Path, Path, float | None] | None = None

    def load_newest(self) -> Position:
        """Restore the newest checkpoint that has the bytes it was written with; the beginning where there is none."""
        self.wait()
        for path in reversed(steps_in(self._folder)):
            damage = _damage(path)
            if not damage:
                self._check_kind(path)
                return load_state(path, self._model, self._optimizer)
            _say(f"checkpoint {path} is damaged ({damage}): set aside as {path.name}{DAMAGED}, the one before is taken")
            if _is_first():
                aside = path.with_name(path.name + DAMAGED)
                shutil.rmtree(aside, ignore_errors=True)
                path.rename(aside)
            torch.distributed.barrier()
        return Position()

    def _check_kind(self, path: Path) -> None:
        """Any layout reads what another wrote, but not one kind of optimizer what the other did: Megatron has two forms."""
        kind = self._config.parallel.distributed_optimizer
        if read_sums(path)["distributed_optimizer"] != kind:
            raise ValueError(
                f"checkpoint {path} was written with distributed_optimizer {not kind} and the config says {kind}: "
                "go on as it was, or start from its weights"
            )

    def save(self, position: Position, *, bits_per_byte: float | None = None, in_background: bool = False) -> None:
        """Write the state of a step, or begin to; a disk that is full is reported and survived."""
        self.wait()
        target = step_folder(self._folder, position.step)
        missing = self._missing_bytes()
        if missing > 0:
            _say(f"no checkpoint at step {position.step:,}: {self._folder} is short of {missing / 1e9:.3g} GB; {_NEXT}")
            return
        partial = begin(target)
        self._written = (partial, target, bits_per_byte)
        with self._survives_full_disk():
            request = write(partial, state_of(self._model, self._optimizer, position), in_background=in_background)
            if request is not None:
                self._queue.schedule_async_request(request)
                return
            self._complete()

    def poll(self) -> None:
        """Complete what was written in the background, if all ranks are ready."""
        if self._written:
            self._finalize(blocking=False)

    def wait(self) -> None:
        """Complete what is being written in the background."""
        if self._written:
            self._finalize(blocking=True)

    def best(self) -> float | None:
        """Tell the lowest held-out bits per byte of a checkpoint that is there."""
        self.wait()
        best = retention.best_step(self._folder)
        return best[0] if best else None

    def _finalize(self, *, blocking: bool) -> None:
        with self._survives_full_disk():
            if self._queue.maybe_finalize_async_calls(blocking=blocking):
                self._complete()

    def _complete(self) -> None:
        assert self._written is not None
        partial, target, bits_per_byte = self._written
        own = _sums(partial)
        parts: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(parts, own)
        if _is_first():
            files = {name: value for part in parts for name, value in part.items()}
            sums = {"files": files, "distributed_optimizer": self._config.parallel.distributed_optimizer}
            values = sums if bits_per_byte is None else {**sums, "bits_per_byte": float(bits_per_byte)}
            (partial / SUMS).write_text(json.dumps(values, indent=1, sort_keys=True))
        finish(partial, target)
        self._written = None
        if _is_first():
            retention.prune(self._folder, self._config)
        torch.distributed.barrier()

    @contextmanager
    def _survives_full_disk(self) -> Iterator[None]:
        """A failed write is raised on all ranks alike; an error of one alone must end them all."""
        try:
            yield
        except CheckpointException as error:
            reason = next((str(failure[0]) for failure in error.failures.values()), "another rank could not write")
        except (OSError, RuntimeError) as error:
            if torch.distributed.get_world_size() > 1 or not _is_of_disk(error):
                raise
            reason = str(error)
        else:
            return
        assert self._written is not None
        partial, target, _ = self._written
        self._written, self._queue = None, AsyncCallsQueue()
        if _is_first():
            shutil.rmtree(partial, ignore_errors=True)
        torch.distributed.barrier()
        _say(f"no checkpoint at {target.name}: {reason}; {_NEXT}")

    def _missing_bytes(self) -> int:
        """Look, on rank 0, how much more room the next checkpoint needs."""
        parameters = sum(p.numel() for chunk in chunks_of(self._model) for p in chunk.parameters())
        size = torch.tensor(parameters * _BYTES_PER_PARAMETER, dtype=torch.int64, device=_device())
        torch.distributed.all_reduce(size)
        missing = torch.zeros(1, dtype=torch.int64, device=_device())
        if _is_first():
            newest = steps_in(self._folder)[-1:]
            replicas = self._config.parallel.data_parallel * self._config.parallel.context_parallel
            needed = _size(newest[0]) if newest else int(size) // replicas
            self._folder.mkdir(parents=True, exist_ok=True)
            missing += needed - shutil.disk_usage(self._folder).free
        torch.distributed.broadcast(missing, src=0)
        return int(missing)


_NEXT = "training goes on, and tries again at the next one; make room"


def _is_of_disk(error: Exception) -> bool:
    """Torch's writer has no type of its own for a write that failed."""
    return isinstance(error, OSError) or "iostream error" in str(error) or "PytorchStreamWriter" in str(error)


def _damage(path: Path) -> str:
    """Compare a checkpoint with its sums; ranks share the files and agree on the first difference."""
    expected, found = read_sums(path).get("files", {}), ""
    if not expected:
        found = f"{SUMS} is missing or torn"
    for name, value in _share(sorted(expected.items())):
        file = path / name
        size = file.stat().st_size if file.is_file() else None
        if size != value[0]:
            found = found or f"{name} has {'no' if size is None else f'{size:,}'} bytes, not {value[0]:,}"
        elif _sha256(file) != value[1]:
            found = found or f"{name} has other bytes than were written"
    answers: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(answers, found)
    return next((answer for answer in answers if answer), "")


def _sums(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        path.name: (path.stat().st_size, _sha256(path))
        for path in _share(sorted(folder.iterdir()))
        if path.name != SUMS
    }


def _share(items: list[Any]) -> list[Any]:
    return items[torch.distributed.get_rank() :: torch.distributed.get_world_size()]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _device() -> Any:
    return torch.cuda.current_device()  # the CPU, where the shim answers


def _is_first() -> bool:
    return torch.distributed.get_rank() == 0


def _say(line: str) -> None:
    if _is_first():
        print(line, flush=True)
