"""What can be known wrong before a rank is started: layout against model and batch, length against positions, memory.

Guarantees: one message with everything that is wrong, each line with the value, the bound and what to change. Torch-free. What a
config can tell alone is checked when it is made; what the data tells (tokens, epochs, weights of a blend) when it is opened.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator

from specialize import memory
from specialize.config import Attention, FineTuneConfig, ModelConfig, TrainConfig

_CUT_BY_TENSOR = ("num_attention_heads", "num_query_groups", "ffn_hidden_size", "vocab_size")


def check(model: ModelConfig, config: TrainConfig) -> None:
    """Refuse a layout that a model, or a length that its positions do not allow."""
    found = [*_layout(model, config), *_length(model, config)]
    if found:
        raise ValueError("\n".join(["this training cannot start:", *(f"- {line}" for line in found)]))


def check_memory(model: ModelConfig, config: TrainConfig) -> None:
    """Refuse what this machine's devices cannot hold; its memory is shared among the ranks where it has no GPU."""
    gpus = gpu_bytes()
    if gpus:
        fused = importlib.util.find_spec("transformer_engine") is not None
        memory.check_fits(memory.estimate(model, config, fused=fused), min(gpus), "the smallest GPU of this machine")
    elif hasattr(os, "sysconf"):
        share = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // config.parallel.ranks
        memory.check_fits(memory.estimate(model, config), share, "a rank's share of this machine's memory")


def gpu_bytes() -> list[int]:
    """Ask the driver for the memory of each GPU; empty without one."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return [int(line) << 20 for line in result.stdout.split("\n") if line.strip().isdigit()]


def _layout(model: ModelConfig, config: TrainConfig) -> Iterator[str]:
    parallel = config.parallel
    for name in _CUT_BY_TENSOR:
        if getattr(model, name) % parallel.tensor_parallel:
            yield _multiple(f"the model's {name}", getattr(model, name), "tensor_parallel", parallel.tensor_parallel)
    stages = parallel.pipeline_parallel * parallel.virtual_pipeline
    if model.num_layers % stages:
        yield _multiple("the model's num_layers", model.num_layers, "pipeline_parallel x virtual_pipeline", stages)
    length = config.seq_length // parallel.context_parallel
    cuts_rows = parallel.sequence_parallel and config.attention is Attention.MERGED  # isolated rows are padded
    if cuts_rows and length % parallel.tensor_parallel:
        words = "tensor_parallel, because of sequence_parallel,"
        yield _multiple("seq_length / context_parallel", length, words, parallel.tensor_parallel)


def _length(model: ModelConfig, config: TrainConfig) -> Iterator[str]:
    """Pretraining may go beyond the positions of a base, and so teaches them (report 4.1: 2,048 to 8,192)."""
    if isinstance(config, FineTuneConfig) and config.seq_length > model.max_position_embeddings:
        yield (
            f"seq_length is {config.seq_length:,}, but the model knows {model.max_position_embeddings:,} positions: pack to "
            "that, or continue pretraining at the longer length first"
        )


def _multiple(what: str, value: int, of: str, bound: int) -> str:
    return f"{what} is {value:,}, which is no multiple of {of} {bound}: choose a divisor of {value:,}"
