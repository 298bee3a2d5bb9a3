"""Weights and training state on disk, in Megatron's distributed format: written by one layout, read by any other.

Guarantees: a folder that has its name is whole (written under another name, then renamed); training resumed from
`save_step` on the same layout continues bit for bit; on another layout to rounding. Costs three FP32 copies of the
weights a saved step. Leaves out asynchronous saving.

Megatron-core 0.16.1 with torch's AdamW restores its distributed optimizer wrongly in two ways, both cured in
`_load_distributed`: it copies AdamW's own `step` out of a state that has none, and then gives one shared `step`
tensor to all parameters, so that the counter rises once a parameter instead of once a step and bias correction
vanishes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from megatron.core import dist_checkpointing

CHECKPOINT = "checkpoint"
"""Folder of the weights inside a model's folder."""
_PARTIAL = ".partial"
_LAYOUT_FREE = {
    "distrib_optim_sharding_type": "fully_reshardable",
    "singleton_local_shards": False,
    "chained_optim_avoid_prefix": True,
}
"""Optimizer state by parameter, so that any layout can read it. Always passed as a copy: Megatron writes into it."""


@dataclass(frozen=True)
class Position:
    """How far a training is."""

    step: int = 0
    consumed_samples: int = 0
    consumed_tokens: int = 0


def save_weights(folder: Path, model: Any) -> None:
    """Write a model's weights to `folder/checkpoint`; every rank calls this."""
    _save(folder / CHECKPOINT, {"model": _unwrapped(model).sharded_state_dict(metadata=dict(_LAYOUT_FREE))})


def load_weights(folder: Path, model: Any) -> None:
    """Read `folder/checkpoint` into a model of any layout and precision; every rank calls this."""
    path = folder / CHECKPOINT
    if not path.is_dir():
        raise ValueError(f"{folder} holds no weights: {CHECKPOINT}/ is missing; name a base or a training output")
    module = _unwrapped(model)
    state = dist_checkpointing.load({"model": module.sharded_state_dict(metadata=dict(_LAYOUT_FREE))}, str(path))
    module.load_state_dict(state["model"])


def save_step(folder: Path, model: Any, optimizer: Any, position: Position, *, keep: int = 2) -> None:
    """Write all that a resumed training needs to `folder/step-N`, and remove all but the newest `keep`."""
    _save(folder / f"step-{position.step:09d}", _training_state(model, optimizer, position, is_loading=False))
    if torch.distributed.get_rank() == 0:
        for old in _steps(folder)[:-keep]:
            shutil.rmtree(old)


def load_newest_step(folder: Path, model: Any, optimizer: Any) -> Position:
    """Restore the newest whole step under `folder`; without one change nothing and return the beginning."""
    steps = _steps(folder)
    if not steps:
        return Position()
    state = dist_checkpointing.load(_training_state(model, optimizer, Position(), is_loading=True), str(steps[-1]))
    _unwrapped(model).load_state_dict(state["model"])
    inner = only_optimizer(optimizer)
    if "param_state" in state["optimizer"] and isinstance(inner.optimizer, torch.optim.AdamW):
        _load_distributed(inner, state["optimizer"])
    else:
        inner.load_state_dict(state["optimizer"])
    return Position(**state["position"])


def only_optimizer(optimizer: Any) -> Any:
    """Take Megatron's optimizer out of the chain of one that it comes in."""
    chain = getattr(optimizer, "chained_optimizers", [optimizer])
    if len(chain) != 1:
        raise ValueError(f"a dense model has one optimizer, found {len(chain)}")
    return chain[0]


def _training_state(model: Any, optimizer: Any, position: Position, *, is_loading: bool) -> dict[str, Any]:
    inner = only_optimizer(optimizer)
    if is_loading:
        _allocate(inner.optimizer)
    weights = _unwrapped(model).sharded_state_dict(metadata=dict(_LAYOUT_FREE))
    state = inner.sharded_state_dict(weights, is_loading=is_loading, metadata=dict(_LAYOUT_FREE))
    return {"model": weights, "optimizer": state, "position": asdict(position)}


def _allocate(inner: torch.optim.Optimizer) -> None:
    """Give AdamW the state it makes in its first step: Megatron reads it before."""
    if not isinstance(inner, torch.optim.AdamW):
        return
    for group in inner.param_groups:
        for parameter in group["params"]:
            if not inner.state[parameter]:
                inner.state[parameter] = {
                    "step": torch.tensor(0.0),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }


def _load_distributed(optimizer: Any, state: dict[str, Any]) -> None:
    """Restore a distributed optimizer over torch's AdamW: counters apart from tensors, and one counter a parameter."""
    tensors = state.pop("param_state")
    optimizer.load_state_dict(state)
    states = list(optimizer.optimizer.state.values())
    steps = [entry.pop("step") for entry in states]
    optimizer.load_parameter_state_from_fully_reshardable(tensors)
    for entry, step in zip(states, steps, strict=True):
        entry["step"] = step.clone()


def _save(target: Path, state: dict[str, Any]) -> None:
    partial = target.with_name(target.name + _PARTIAL)
    first = torch.distributed.get_rank() == 0
    if first:
        for folder in (partial, target):
            shutil.rmtree(folder, ignore_errors=True)
        partial.mkdir(parents=True)
    torch.distributed.barrier()
    dist_checkpointing.save(state, str(partial), content_metadata=dict(_LAYOUT_FREE))
    torch.distributed.barrier()
    if first:
        partial.rename(target)
    torch.distributed.barrier()


def _steps(folder: Path) -> list[Path]:
    """List whole steps, oldest first."""
    found: Iterable[Path] = folder.glob("step-*") if folder.is_dir() else ()
    return sorted(path for path in found if not path.name.endswith(_PARTIAL))


def _unwrapped(model: Any) -> Any:
    while hasattr(model, "module"):
        model = model.module
    return model
