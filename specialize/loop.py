"""The training loop, one for pretraining and fine-tuning: what each rank does from the first step to the weights.

Guarantees: the loss is the mean over all learned tokens of a step, whatever the layout, the accumulation or the
masks; random numbers of a step are drawn from (seed, step), so that a run killed at any moment and resumed equals
an unbroken one, data position included; `progress.jsonl` has one row a step, none twice. Costs a checkpoint every
`checkpoint_interval` steps. Leaves out overlap of communication with computation. Source: Megatron-core,
`examples/run_simple_mcore_train_loop.py`, for the order of calls.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from megatron.core import parallel_state
from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig, finalize_model_grads
from megatron.core.optimizer import OptimizerConfig as MegatronOptimizerConfig
from megatron.core.optimizer import get_megatron_optimizer
from megatron.core.packed_seq_params import PackedSeqParams
from megatron.core.pipeline_parallel import get_forward_backward_func
from megatron.core.utils import get_batch_on_this_cp_rank

from corpora import progress
from specialize import SAVED_AND_STOPPED
from specialize.checkpoint import Position, load_newest_step, load_weights, only_optimizer, save_step, save_weights
from specialize.config import ModelConfig, Precision, TrainConfig
from specialize.data import Data, MicroBatch, micro_batches
from specialize.device import init_process, seed_everything
from specialize.model import build_model
from specialize.schedule import learning_rate
from specialize.stop import StopRequest

PROGRESS = "progress.jsonl"
STEPS = "steps"
"""Folder of checkpoints in progress."""


@dataclass(frozen=True)
class Trainer:
    """This rank's part of a model in training."""

    config: TrainConfig
    model: Any
    optimizer: Any
    device: torch.device


def train(out: Path, *, model: Path, data: Data, config: TrainConfig) -> None:
    """Train the weights of `model` on `data` into `out/checkpoint`, from the newest step of a killed run if any.

    Asked to stop by SIGTERM or SIGUSR1, it saves the step it is at and exits with `SAVED_AND_STOPPED`.
    """
    trainer = build_trainer(ModelConfig.load(model), config)
    position = load_newest_step(out / STEPS, trainer.model, trainer.optimizer)
    if position.step == 0:
        load_weights(model, trainer.model)
        trainer.optimizer.reload_model_params()
    record = out / PROGRESS
    if _is_first():
        _truncate(record, position.step)
        print(f"training from step {position.step} to {data.train_steps} on {trainer.device}", flush=True)
    with StopRequest() as stop:
        while position.step < data.train_steps:
            row = train_step(trainer, data, position)
            position = Position(row["step"], row["consumed_samples"], row["consumed_tokens"])
            if _is_first():
                _record(record, row, data.train_steps)
            stopped = stop.agreed(trainer.device) and position.step < data.train_steps
            if stopped or (position.step % config.checkpoint_interval == 0 and position.step < data.train_steps):
                save_step(out / STEPS, trainer.model, trainer.optimizer, position)
            if stopped:
                raise SystemExit(SAVED_AND_STOPPED)
    save_weights(out, trainer.model)


def build_trainer(model: ModelConfig, config: TrainConfig) -> Trainer:
    """Join the process groups and build model and optimizer, with random weights."""
    device = init_process(config.parallel, seed=config.seed)
    module = build_model(
        model, config.parallel, precision=config.precision, dropout=config.dropout, recompute=config.recompute
    )
    module.to(device).train()
    distributed = config.parallel.distributed_optimizer
    reduction = DistributedDataParallelConfig(
        grad_reduce_in_fp32=True, use_distributed_optimizer=distributed, check_for_nan_in_grad=True
    )
    wrapped = DistributedDataParallel(module.config, reduction, module)
    optimizer = get_megatron_optimizer(_optimizer_config(config), [wrapped])
    module.config.grad_scale_func = optimizer.scale_loss
    module.config.finalize_model_grads_func = finalize_model_grads
    if isinstance(only_optimizer(optimizer).optimizer, torch.optim.AdamW):
        for group in optimizer.param_groups:
            group["fused"] = True  # one pass over memory instead of a dozen
    return Trainer(config, wrapped, optimizer, device)


def _optimizer_config(config: TrainConfig) -> MegatronOptimizerConfig:
    values, low = config.optimizer, config.precision is Precision.BF16
    return MegatronOptimizerConfig(
        optimizer="adam",
        lr=values.learning_rate,
        weight_decay=values.weight_decay,
        adam_beta1=values.beta1,
        adam_beta2=values.beta2,
        adam_eps=values.epsilon,
        clip_grad=values.clip_norm or math.inf,  # 0 would leave out the norm as well
        bf16=low,
        params_dtype=torch.bfloat16 if low else torch.float32,
        use_distributed_optimizer=config.parallel.distributed_optimizer,
    )


def train_step(trainer: Trainer, data: Data, position: Position) -> dict[str, Any]:
    """Take one optimizer step and return its row of `progress.jsonl`."""
    config, clock = trainer.config, time.monotonic()
    seed_everything(_step_seed(config.seed, position.step))
    batches = micro_batches(data, position.step, config, rank=parallel_state.get_data_parallel_rank())
    rate = learning_rate(config, step=position.step + 1, train_steps=data.train_steps)
    for group in trainer.optimizer.param_groups:
        group["lr"], group["weight_decay"] = rate, config.optimizer.weight_decay * group.get("wd_mult", 1.0)
    trainer.model.zero_grad_buffer()
    trainer.optimizer.zero_grad()
    loss, learned = _forward_backward(trainer, batches)
    _, norm, _ = trainer.optimizer.step()
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss of step {position.step + 1} is {loss}: lower the learning rate")
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
    }


def _forward_backward(trainer: Trainer, batches: list[MicroBatch]) -> tuple[float, int]:
    """Sum gradients over all micro-batches and ranks; return the mean loss and the number of learned tokens."""
    shape = batches[0].tokens_BT.shape
    with _autocast(trainer):
        sums = get_forward_backward_func()(
            forward_step_func=functools.partial(_forward_step, trainer.device),
            data_iterator=iter(batches),
            model=trainer.model,
            num_microbatches=len(batches),
            micro_batch_size=shape[0],
            seq_length=shape[1],
            forward_only=False,
        )
    total = torch.zeros(2, dtype=torch.float64, device=trainer.device)
    if sums:  # only the last pipeline stage has losses
        total += torch.stack([part["sums"] for part in sums]).double().sum(0)
    torch.distributed.all_reduce(total, group=parallel_state.get_data_parallel_group(with_context_parallel=True))
    last = parallel_state.get_pipeline_model_parallel_last_rank()
    torch.distributed.broadcast(total, src=last, group=parallel_state.get_pipeline_model_parallel_group())
    learned = int(total[1].item())
    return float(total[0].item()) / max(learned, 1), learned


def _autocast(trainer: Trainer) -> contextlib.AbstractContextManager[Any]:
    # around the backward pass too: Megatron's linear layer multiplies there what it kept in FP32 by a BF16 gradient
    if trainer.config.precision is Precision.BF16_AUTOCAST:
        return torch.autocast(trainer.device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _forward_step(device: torch.device, batches: Iterator[MicroBatch], model: Any) -> tuple[torch.Tensor, Any]:
    batch = next(batches)
    values = {
        "tokens": torch.from_numpy(batch.tokens_BT),
        "labels": torch.from_numpy(batch.labels_BT),
        "loss_mask": torch.from_numpy(batch.mask_BT),
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
    return losses, functools.partial(_sum_losses, values["loss_mask"])


def _packed(batch: MicroBatch, device: torch.device) -> PackedSeqParams:
    bounds = torch.from_numpy(batch.bounds).to(device)
    longest = int(torch.diff(bounds).max())
    return PackedSeqParams(
        qkv_format="thd", cu_seqlens_q=bounds, cu_seqlens_kv=bounds, max_seqlen_q=longest, max_seqlen_kv=longest
    )


def _sum_losses(mask_BT: torch.Tensor, losses_BT: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any]]:
    """Give Megatron a sum and a count: it divides the gradients by the count over all ranks and micro-batches."""
    loss = (losses_BT.float() * mask_BT).sum()
    learned = mask_BT.sum(dtype=torch.int)
    return loss, learned, {"sums": torch.stack([loss.detach(), learned.float()])}


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


def _record(path: Path, row: dict[str, Any], train_steps: int) -> None:
    """Write a row; every hundredth of the way a line of the log too."""
    with path.open("a") as stream:
        stream.write(json.dumps(row) + "\n")
    if row["step"] % max(1, train_steps // 100) == 0:
        speed = f"{row['tokens_per_second']:,.0f} tokens/s"
        print(f"step {row['step']:,} of {train_steps:,}: loss {row['loss']:.4f}, {speed}", flush=True)
    progress.report(
        row["step"], train_steps, "steps", loss=round(row["loss"], 4), tokens_per_second=row["tokens_per_second"]
    )


def _truncate(path: Path, step: int) -> None:
    """Drop the rows after `step`, and one that was cut off: they will be written again."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text("".join(line for line in whole if json.loads(line)["step"] <= step))
    temporary.replace(path)


def _is_first() -> bool:
    return torch.distributed.get_rank() == 0
