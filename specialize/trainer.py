"""This rank's model and optimizer, wrapped for the layout: what every step of a training works on.

Guarantees: gradients are summed in FP32; the same weights and batch give the same update for every layout, to rounding.
Leaves out mixture of experts and FP8. Source: Megatron-core, `examples/run_simple_mcore_train_loop.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig, finalize_model_grads
from megatron.core.optimizer import OptimizerConfig as MegatronOptimizerConfig
from megatron.core.optimizer import get_megatron_optimizer

from specialize.attention import BLOCK_LIMIT
from specialize.checkpoint import chunks_of, only_optimizer, unwrapped
from specialize.config import ModelConfig, Precision, TrainConfig
from specialize.device import init_process
from specialize.model import build_model


@dataclass(frozen=True)
class Trainer:
    """This rank's part of a model in training."""

    config: TrainConfig
    model: Any
    """One part, or a list of one a virtual pipeline stage."""
    optimizer: Any
    device: torch.device
    shape: ModelConfig
    beat: Callable[[str], None] = lambda _doing: None
    """Told what this rank begins to do: a sign of life."""

    @property
    def chunks(self) -> list[Any]:
        """The parts of the model on this rank."""
        return chunks_of(self.model)


def build_trainer(model: ModelConfig, config: TrainConfig) -> Trainer:
    """Join the process groups and build model and optimizer, with random weights."""
    device, parallel = init_process(config.parallel, seed=config.seed), config.parallel
    stages = range(parallel.virtual_pipeline) if parallel.virtual_pipeline > 1 else (None,)
    modules = [
        build_model(
            model, parallel, precision=config.precision, dropout=config.dropout, recompute=config.recompute, stage=stage
        )
        for stage in stages
    ]
    reduction = DistributedDataParallelConfig(
        grad_reduce_in_fp32=True,
        use_distributed_optimizer=parallel.distributed_optimizer,
        overlap_grad_reduce=parallel.overlap,
        overlap_param_gather=parallel.overlap and parallel.distributed_optimizer,
        check_for_nan_in_grad=True,
    )
    chunks = [
        DistributedDataParallel(module.config, reduction, module.to(device).train(), disable_bucketing=index > 0)
        for index, module in enumerate(modules)
    ]
    optimizer = get_megatron_optimizer(_optimizer_config(config), chunks)
    for chunk in chunks:
        chunk.config.grad_scale_func = optimizer.scale_loss
        chunk.config.finalize_model_grads_func = finalize_model_grads
        if parallel.overlap:
            chunk.config.no_sync_func = [each.no_sync for each in chunks] if len(chunks) > 1 else chunk.no_sync
    if isinstance(only_optimizer(optimizer).optimizer, torch.optim.AdamW):
        for group in optimizer.param_groups:
            group["fused"] = True  # one pass over memory instead of a dozen
    return Trainer(config, chunks if len(chunks) > 1 else chunks[0], optimizer, device, model)


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
        overlap_param_gather=config.parallel.overlap and config.parallel.distributed_optimizer,
    )


def gather_weights(trainer: Trainer) -> None:
    """Complete the weights after a step: with overlap they are gathered in the next forward pass only."""
    if trainer.config.parallel.overlap and trainer.config.parallel.distributed_optimizer:
        for chunk in trainer.chunks:
            chunk.start_param_sync(force_sync=True)


def describe_attention(trainer: Trainer) -> str:
    """Say which attention this rank's layers run, from the modules that were built."""
    layers = unwrapped(trainer.chunks[0]).decoder.layers
    if not layers:
        return "none on this rank"
    name = type(layers[0].self_attention.core_attention).__name__
    if name != "CoreAttention":
        return f"{name} of Transformer Engine, which names its kernel with NVTE_DEBUG=1 NVTE_DEBUG_LEVEL=2"
    config = trainer.config
    kernel = "blocks of query rows" if _by_blocks(trainer) else "scaled_dot_product_attention of torch"
    return f"{name} by {kernel}, {config.attention.value} documents, on {trainer.device.type}"


def _by_blocks(trainer: Trainer) -> bool:
    config = trainer.config
    is_short = config.seq_length <= BLOCK_LIMIT and config.parallel.context_parallel == 1
    return trainer.device.type == "cpu" and is_short
