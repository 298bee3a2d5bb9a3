"""Weights and training state on disk, in Megatron's distributed format: written by one layout, read by any other.

Guarantees: a folder that has its name is whole (written under another name, then renamed); training that goes on from
`load_state` on the same layout continues bit for bit; on another layout to rounding. Costs three FP32 copies of the
weights a saved step. When a step is saved, and which saved steps stay, is `specialize.saves`.

Megatron-core 0.16.1 with torch's AdamW restores its distributed optimizer wrongly in two ways, both cured in
`_load_distributed`: it copies AdamW's own `step` out of a state that has none, and then gives one shared `step`
tensor to all parameters, so that the counter rises once a parameter instead of once a step and bias correction
vanishes.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from megatron.core import dist_checkpointing

from specialize import retention

CHECKPOINT = retention.CHECKPOINT
_LAYOUT_FREE = {
    "distrib_optim_sharding_type": "fully_reshardable",
    "singleton_local_shards": False,
    "chained_optim_avoid_prefix": True,
}
"""Optimizer state by parameter, so that any layout can read it. Always passed as a copy: Megatron writes into it."""


@dataclass(frozen=True)
class Position:
    """How far a training is, and what later steps depend on."""

    step: int = 0
    consumed_samples: int = 0
    consumed_tokens: int = 0
    recent_losses: tuple[float, ...] = ()
    """Of the last steps that were no spikes, oldest first."""
    spikes: int = 0


def save_weights(folder: Path, model: Any) -> None:
    """Write a model's weights to `folder/checkpoint`; every rank calls this."""
    target = folder / CHECKPOINT
    partial = begin(target)
    write(partial, weights_of(model))
    finish(partial, target)


def load_weights(folder: Path, model: Any) -> None:
    """Read `folder/checkpoint` into a model of any layout and precision; every rank calls this."""
    path = folder / CHECKPOINT
    if not path.is_dir():
        raise ValueError(f"{folder} holds no weights: {CHECKPOINT}/ is missing; name a base or a training output")
    _set_weights(model, dist_checkpointing.load(weights_of(model), str(path)))


def state_of(model: Any, optimizer: Any, position: Position) -> dict[str, Any]:
    """Collect all that a resumed training needs."""
    return _state(model, optimizer, position, is_loading=False)


def load_state(path: Path, model: Any, optimizer: Any) -> Position:
    """Restore what was written of `state_of`; every rank calls this."""
    state = dist_checkpointing.load(_state(model, optimizer, Position(), is_loading=True), str(path))
    _set_weights(model, state)
    inner = only_optimizer(optimizer)
    if "param_state" in state["optimizer"] and isinstance(inner.optimizer, torch.optim.AdamW):
        _load_distributed(inner, state["optimizer"])
    else:
        _add_first_steps(state["optimizer"])
        inner.load_state_dict(state["optimizer"])
    position = state["position"]
    return Position(**{**position, "recent_losses": tuple(position.get("recent_losses", ()))})


def begin(target: Path) -> Path:
    """Make the empty folder that becomes `target`; every rank calls this."""
    partial = target.with_name(target.name + retention.PARTIAL)
    if torch.distributed.get_rank() == 0:
        for folder in (partial, target):
            shutil.rmtree(folder, ignore_errors=True)
        partial.mkdir(parents=True)
    torch.distributed.barrier()
    return partial


def write(partial: Path, state: dict[str, Any], *, in_background: bool = False) -> Any:
    """Write a state, or return Megatron's request to write it."""
    return dist_checkpointing.save(
        state, str(partial), async_sharded_save=in_background, content_metadata=dict(_LAYOUT_FREE)
    )


def finish(partial: Path, target: Path) -> None:
    """Give a whole folder its name; every rank calls this."""
    torch.distributed.barrier()
    if torch.distributed.get_rank() == 0:
        partial.rename(target)
    torch.distributed.barrier()


def only_optimizer(optimizer: Any) -> Any:
    """Take Megatron's optimizer out of the chain of one that it comes in."""
    chain = getattr(optimizer, "chained_optimizers", [optimizer])
    if len(chain) != 1:
        raise ValueError(f"a dense model has one optimizer, found {len(chain)}")
    return chain[0]


def chunks_of(model: Any) -> list[Any]:
    """List a rank's parts of the model: one, or one a virtual pipeline stage."""
    return list(model) if isinstance(model, list | tuple) else [model]


def unwrapped(model: Any) -> Any:
    """Take a part of the model out of its wrappers."""
    while hasattr(model, "module"):
        model = model.module
    return model


def weights_of(model: Any) -> dict[str, Any]:
    """Describe the weights a rank holds, as shards of whole tensors whose names no layout changes."""
    parts = [unwrapped(chunk).sharded_state_dict(metadata=dict(_LAYOUT_FREE)) for chunk in chunks_of(model)]
    return {_part_name(index, len(parts)): part for index, part in enumerate(parts)}


def _part_name(index: int, parts: int) -> str:
    return "model" if parts == 1 else f"model{index}"


def _set_weights(model: Any, state: dict[str, Any]) -> None:
    parts = chunks_of(model)
    for index, chunk in enumerate(parts):
        unwrapped(chunk).load_state_dict(state[_part_name(index, len(parts))])


def _state(model: Any, optimizer: Any, position: Position, *, is_loading: bool) -> dict[str, Any]:
    inner = only_optimizer(optimizer)
    _allocate(inner.optimizer)
    weights = weights_of(model)
    names = weights.get("model", weights)
    state = inner.sharded_state_dict(names, is_loading=is_loading, metadata=dict(_LAYOUT_FREE))
    return {**weights, "optimizer": state, "position": asdict(position)}


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


def _add_first_steps(state: dict[str, Any]) -> None:
    """Put back AdamW's counters of a training that has not begun: Megatron takes a 0 for none."""
    for entry in state.get("optimizer", state)["state"].values():
        if isinstance(entry, dict) and "exp_avg" in entry:
            entry.setdefault("step", torch.tensor(0.0))


def _load_distributed(optimizer: Any, state: dict[str, Any]) -> None:
    """Restore a distributed optimizer over torch's AdamW: counters apart from tensors, and one counter a parameter."""
    tensors = state.pop("param_state")
    optimizer.load_state_dict(state)
    states = list(optimizer.optimizer.state.values())
    steps = [entry.pop("step") for entry in states]
    optimizer.load_parameter_state_from_fully_reshardable(tensors)
    for entry, step in zip(states, steps, strict=True):
        entry["step"] = step.clone()
