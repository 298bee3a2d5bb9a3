"""The training loop, one for pretraining and fine-tuning: what each rank does from the first step to the weights.

Guarantees: a run killed at any moment and resumed equals an unbroken one, data position included; `progress.jsonl` has one row
a step, none twice; told to stop, it saves first. Costs a checkpoint every `checkpoint_interval` steps. A step is
`specialize.step`, model and optimizer are `specialize.trainer`, checkpoints `specialize.saves`.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
import torch.distributed

from specialize import SAVED_AND_STOPPED, memory, preflight
from specialize.checkpoint import Position, load_weights, save_weights
from specialize.config import ModelConfig, OnSpike, PretrainConfig, TrainConfig
from specialize.data import Data
from specialize.heartbeat import Heartbeat
from specialize.heldout import HeldOut
from specialize.model import has_transformer_engine
from specialize.record import Record
from specialize.retention import STEPS
from specialize.saves import Saves
from specialize.step import advance, evaluate, train_step
from specialize.stop import StopRequest
from specialize.trainer import Trainer, build_trainer, describe_attention, gather_weights


def train(out: Path, *, model: Path, data: Data, config: TrainConfig, held_out: HeldOut | None = None) -> None:
    """Train the weights of `model` on `data` into `out/checkpoint`, from the newest step of a killed run if any.

    Asked to stop by SIGTERM or SIGUSR1, it saves the step it is at and exits with `SAVED_AND_STOPPED`.
    """
    shape = ModelConfig.load(model)
    preflight.check(shape, config)
    trainer = build_trainer(shape, config)
    if trainer.device.type == "cuda":
        total = torch.cuda.get_device_properties(trainer.device).total_memory
        memory.check_fits(memory.estimate(shape, config, fused=has_transformer_engine()), total, "its GPU")
    saves = Saves(out / STEPS, trainer.model, trainer.optimizer, config)
    position = saves.load_newest()
    if position.step == 0:
        load_weights(model, trainer.model)
        trainer.optimizer.reload_model_params()
    is_first, ranks = torch.distributed.get_rank() == 0, torch.distributed.get_world_size()
    if is_first:
        print(f"training from step {position.step} to {data.train_steps} on {trainer.device}", flush=True)
        print(f"attention: {describe_attention(trainer)}", flush=True)
        expected = memory.estimate(shape, config, fused=has_transformer_engine())
        print(f"memory a rank, by estimate: {memory.describe(expected)}", flush=True)
    heart = Heartbeat(out / STEPS, rank=torch.distributed.get_rank(), ranks=ranks, limit=config.stall_seconds)
    record = Record(out, step=position.step, train_steps=data.train_steps, writes=is_first)
    with StopRequest() as stop, heart, record:
        trainer = dataclasses.replace(trainer, beat=heart.beat)
        _run(trainer, data, position, saves=saves, record=record, stop=stop, held_out=held_out)
    gather_weights(trainer)
    save_weights(out, trainer.model)


def _run(
    trainer: Trainer,
    data: Data,
    position: Position,
    *,
    saves: Saves,
    record: Record,
    stop: StopRequest,
    held_out: HeldOut | None,
) -> None:
    config, last = trainer.config, data.train_steps
    if config.on_spike is OnSpike.ROLL_BACK and position.step == 0:
        saves.save(position)  # what the first spike goes back to
    while position.step < last:
        row = train_step(trainer, data, position)
        position = advance(position, row)
        rolled_back = "spike" in row and config.on_spike is OnSpike.ROLL_BACK
        if rolled_back:
            row["rolled_back_to"] = saves.load_newest().step
        bits = _evaluate(trainer, held_out, row, last)
        record.write(row)
        saves.poll()
        stopped = stop.agreed(trainer.device) and position.step < last
        if stopped or rolled_back or _is_due(config, position.step, last, bits, saves):
            trainer.beat("saving")
            gather_weights(trainer)
            background = config.save_in_background and not stopped
            saves.save(position, bits_per_byte=bits, in_background=background)
        if stopped:
            raise SystemExit(SAVED_AND_STOPPED)
    saves.wait()


def _is_due(config: TrainConfig, step: int, last: int, bits: float | None, saves: Saves) -> bool:
    if bits is not None and isinstance(config, PretrainConfig) and config.keep_best:
        best = saves.best()
        if best is None or bits < best:
            return True
    keeps_last = config.keep_every and step % config.keep_every == 0
    return step % config.checkpoint_interval == 0 and bool(step < last or keeps_last)


def _evaluate(trainer: Trainer, held_out: HeldOut | None, row: dict[str, Any], last: int) -> float | None:
    """Measure held-out text where it is due; return the mean of the domains by their shares of the training."""
    config = trainer.config
    if held_out is None or not isinstance(config, PretrainConfig):
        return None
    if row["step"] % config.evaluation_interval and row["step"] != last:
        return None
    row["heldout"] = evaluate(trainer, held_out)
    return held_out.mean(row["heldout"])
