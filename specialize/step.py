"""One optimizer step on this rank, and one measurement of held-out text.

Guarantees: the loss is the mean over all learned tokens of a step, whatever the layout, the accumulation or the masks; random
numbers of a step are drawn from (seed, step). A step whose loss is no number ends the run; one whose loss is a spike is
taken or not as the config says. Source: Megatron-core, `examples/run_simple_mcore_train_loop.py`, for the order of calls.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import math
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed
from megatron.core import parallel_state
from megatron.core.packed_seq_params import PackedSeqParams
from megatron.core.pipeline_parallel import get_forward_backward_func
from megatron.core.utils import get_batch_on_this_cp_rank

from specialize.checkpoint import Position, only_optimizer
from specialize.config import OnSpike, Precision, TrainConfig
from specialize.data import Data, MicroBatch, micro_batches
from specialize.device import seed_everything
from specialize.flops import model_flops, peak_flops
from specialize.heldout import HeldOut
from specialize.schedule import learning_rate
from specialize.trainer import Trainer

_RECENT, _ENOUGH = 32, 16
"""Losses that a spike is judged by, and fewer than which judge nothing."""


def train_step(trainer: Trainer, data: Data, position: Position) -> dict[str, Any]:
    """Take one optimizer step and return its row of `progress.jsonl`."""
    config, clock = trainer.config, time.monotonic()
    trainer.beat("reading its samples")
    seed_everything(_step_seed(config.seed, position.step))
    batches = micro_batches(data, position.step, config, rank=parallel_state.get_data_parallel_rank())
    rate = learning_rate(config, step=position.step + 1, train_steps=data.train_steps)
    for group in trainer.optimizer.param_groups:
        group["lr"], group["weight_decay"] = rate, config.optimizer.weight_decay * group.get("wd_mult", 1.0)
    for chunk in trainer.chunks:
        chunk.zero_grad_buffer()
    trainer.optimizer.zero_grad()
    sums = _forward_backward(trainer, batches, domains=len(data.domains))
    learned, loss = int(sums[0, 1].item()), _mean(sums[0])
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss of step {position.step + 1} is {loss}: lower the learning rate")
    trainer.beat("updating its weights")
    spike = is_spike(config, position, loss)
    norm = _norm_only(trainer) if spike and config.on_spike is not OnSpike.GO_ON else trainer.optimizer.step()[1]
    trainer.beat("adding up")
    tokens = _sum_over_data([batch.num_tokens for batch in batches], trainer.device)
    seconds = time.monotonic() - clock
    return {
        "step": position.step + 1,
        "loss": loss,
        "learning_rate": rate,
        "grad_norm": float(norm),
        "tokens": tokens,
        "learned_tokens": learned,
        "tokens_per_second": round(tokens / seconds, 1),
        "consumed_samples": position.consumed_samples + len(data.samples_of(position.step)),
        "consumed_tokens": position.consumed_tokens + tokens,
        "seconds": round(seconds, 3),
        **_by_domain(data, sums),
        **_efficiency(trainer, tokens / seconds),
        **({"spike": config.on_spike.value} if spike else {}),
    }


def advance(position: Position, row: dict[str, Any]) -> Position:
    """Move behind the step of a row."""
    recent, spike = position.recent_losses, "spike" in row
    return Position(
        step=row["step"],
        consumed_samples=row["consumed_samples"],
        consumed_tokens=row["consumed_tokens"],
        recent_losses=recent if spike else (*recent, row["loss"])[-_RECENT:],
        spikes=position.spikes + spike,
    )


def is_spike(config: TrainConfig, position: Position, loss: float) -> bool:
    """Compare a loss with the median of the steps before; too many spikes end the run.

    A loss that stays high is no spike but the new level: after `max_spikes` of them the run ends and says so.
    """
    recent = position.recent_losses
    if len(recent) < _ENOUGH or loss <= statistics.median(recent) + config.spike_nats:
        return False
    if config.on_spike is not OnSpike.GO_ON and position.spikes >= config.max_spikes:
        raise FloatingPointError(
            f"step {position.step + 1} has the loss {loss:.4g}, the last ones had {statistics.median(recent):.4g}, and there "
            f"were {position.spikes} such spikes before: lower the learning rate, look at the data, or raise max_spikes"
        )
    return True


def evaluate(trainer: Trainer, held_out: HeldOut) -> dict[str, float]:
    """Measure the bits per byte of each domain's held-out text; every rank calls this."""
    found = {}
    for chunk in trainer.chunks:
        chunk.eval()
    for index, name in enumerate(held_out.domains):
        trainer.beat(f"reading held-out {name}")
        batches = micro_batches(held_out, index, trainer.config, rank=parallel_state.get_data_parallel_rank())
        sums = _forward_backward(trainer, batches, domains=1, forward_only=True)
        found[name] = round(held_out.bits_per_byte(index, _mean(sums[0])), 6)
    for chunk in trainer.chunks:
        chunk.train()
    return found


def _forward_backward(
    trainer: Trainer, batches: list[MicroBatch], *, domains: int, forward_only: bool = False
) -> torch.Tensor:
    """Sum gradients over all micro-batches and ranks; return losses and learned tokens: of all, then of each domain."""
    shape = batches[0].tokens_BT.shape
    iterators = [iter(batches) for _ in trainer.chunks]
    counter = itertools.count(1)
    with _autocast(trainer):
        sums = get_forward_backward_func()(
            forward_step_func=functools.partial(_forward_step, trainer, domains, counter),
            data_iterator=iterators if len(iterators) > 1 else iterators[0],
            model=trainer.model,
            num_microbatches=len(batches),
            micro_batch_size=shape[0],
            seq_length=shape[1],
            forward_only=forward_only,
        )
    total = torch.zeros(1 + domains, 2, dtype=torch.float64, device=trainer.device)
    if sums:  # only the last pipeline stage has losses
        total += torch.stack([part["sums"] for part in sums]).double().sum(0)
    torch.distributed.all_reduce(total, group=parallel_state.get_data_parallel_group(with_context_parallel=True))
    last = parallel_state.get_pipeline_model_parallel_last_rank()
    torch.distributed.broadcast(total, src=last, group=parallel_state.get_pipeline_model_parallel_group())
    return total


def _autocast(trainer: Trainer) -> contextlib.AbstractContextManager[Any]:
    # around the backward pass too: Megatron's linear layer multiplies there what it kept in FP32 by a BF16 gradient
    if trainer.config.precision is Precision.BF16_AUTOCAST:
        return torch.autocast(trainer.device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _forward_step(
    trainer: Trainer, domains: int, counter: Iterator[int], batches: Iterator[MicroBatch], model: Any
) -> tuple[torch.Tensor, Any]:
    batch, device = next(batches), trainer.device
    trainer.beat(f"in micro-batch {next(counter)}")
    values = {
        "tokens": torch.from_numpy(batch.tokens_BT),
        "labels": torch.from_numpy(batch.labels_BT),
        "loss_mask": torch.from_numpy(batch.mask_BT),
        "domains": torch.from_numpy(batch.domains_BT),
        "position_ids": torch.arange(batch.tokens_BT.shape[1]).expand(batch.tokens_BT.shape),
    }
    values = {name: value.to(device) for name, value in values.items()}
    if parallel_state.get_context_parallel_world_size() > 1:
        values = get_batch_on_this_cp_rank(values)
    losses = model(
        values["tokens"],
        values["position_ids"],
        None,
        labels=values["labels"],
        loss_mask=values["loss_mask"],
        packed_seq_params=None if batch.bounds is None else _packed(batch, device),
    )
    return losses, functools.partial(_sum_losses, values["loss_mask"], values["domains"], domains)


def _packed(batch: MicroBatch, device: torch.device) -> PackedSeqParams:
    bounds = torch.from_numpy(batch.bounds).to(device)
    longest = int(torch.diff(bounds).max())
    return PackedSeqParams(
        qkv_format="thd", cu_seqlens_q=bounds, cu_seqlens_kv=bounds, max_seqlen_q=longest, max_seqlen_kv=longest
    )


def _sum_losses(
    mask_BT: torch.Tensor, domains_BT: torch.Tensor, domains: int, losses_BT: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any]]:
    """Give Megatron a sum and a count: it divides the gradients by the count over all ranks and micro-batches."""
    masked_BT = losses_BT.float() * mask_BT
    loss, learned = masked_BT.sum(), mask_BT.sum(dtype=torch.int)
    pairs = torch.stack([masked_BT.detach().flatten(), mask_BT.flatten().float()], dim=1)
    of_domain = pairs.new_zeros(domains, 2).index_add_(0, domains_BT.flatten().long(), pairs)
    return loss, learned, {"sums": torch.cat([torch.stack([loss.detach(), learned.float()])[None], of_domain])}


def _mean(sums: torch.Tensor) -> float:
    return float(sums[0].item()) / max(int(sums[1].item()), 1)


def _by_domain(data: Data, sums: torch.Tensor) -> dict[str, Any]:
    """Give the mean loss of each domain that the step learned from, where there are several."""
    if len(data.domains) < 2:
        return {}
    rows = zip(data.domains, sums[1:], strict=True)
    return {"losses": {name: round(_mean(part), 6) for name, part in rows if part[1] > 0}}


def _efficiency(trainer: Trainer, tokens_per_second: float) -> dict[str, Any]:
    """Tell this rank's peak memory, and the share of its device's peak that the model's operations take."""
    flops = model_flops(trainer.shape, trainer.config.seq_length) * tokens_per_second / trainer.config.parallel.ranks
    row: dict[str, Any] = {"memory_bytes": _peak_memory(trainer.device), "flops_per_second": round(flops)}
    peak = peak_flops(trainer.device)
    return {**row, "mfu": round(flops / peak, 4)} if peak else row


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _norm_only(trainer: Trainer) -> float:
    """Compute the gradient norm of a step that is not taken."""
    inner = only_optimizer(trainer.optimizer)
    inner.prepare_grads()
    return float(inner.get_grad_norm())


def _sum_over_data(values: list[int], device: torch.device) -> int:
    total = torch.tensor(sum(values), dtype=torch.int64, device=device)
    torch.distributed.all_reduce(total, group=parallel_state.get_data_parallel_group())
    return int(total.item())


def _step_seed(seed: int, step: int) -> int:
    """Seed of dropout: another one for every step, sample and stage, the same on the tensor-parallel ranks."""
    ranks = (
        parallel_state.get_data_parallel_rank(with_context_parallel=True),
        parallel_state.get_pipeline_model_parallel_rank(),
    )
    digest = hashlib.sha256(f"{seed} {step} {ranks}".encode()).digest()
    return int.from_bytes(digest[:4], "little") // 2
