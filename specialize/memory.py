"""Memory of a rank before it is asked for: weights, gradients, optimizer, activations, by model and layout, without torch.

Weights, gradients and optimizer are counts of tensors and exact. Activations are what autograd keeps of one layer, by the list
in `_layer_bytes`, times the layers in flight; attention keeps no scores (FlashAttention, SDPA). For our own layers the list is
measured, to 1%; for Transformer Engine's fused ones it is read from their sources. Sources: Korthikanti et al. 2022
(2205.05198): section 4.1 for the list, adapted to gated SiLU and grouped heads, 4.2.3 for pipelines; Rajbhandari et al. 2020
(1910.02054) for the optimizer's share. Not in it: the CUDA context and NCCL's buffers (1 to 2 GB a device), fragmentation,
and on CPU the attention weights that samples up to 2,048 tokens keep.
"""

from __future__ import annotations

from dataclasses import dataclass

from specialize.config import ModelConfig, ParallelConfig, Precision, TrainConfig

MARGIN = 1.1
"""What a device needs over the estimate: fragmentation, buffers of communication; ours."""


@dataclass(frozen=True)
class Memory:
    """Bytes of the rank that needs most."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    """Kept for the backward pass."""
    working: int
    """Gradients of one layer's activations, and one layer made again with recomputation."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.working


@dataclass(frozen=True)
class _Kept:
    """What a layer keeps for a token, in multiples."""

    hidden: int
    """Of the hidden size, for each norm: its input, its normalised input, and what the product after it reads."""
    feed_forward: int
    """Of the width of the feed-forward layer: both halves, SiLU of one, the copy of the other, their product."""
    rotary: int
    """Of the size of a head in FP32: cosines and sines, for q and k."""


_PLAIN, _FUSED = _Kept(hidden=3, feed_forward=5, rotary=4), _Kept(hidden=2, feed_forward=3, rotary=0)
"""Our layers; Transformer Engine's, where norm and product, and both halves and SiLU, are one function each."""


def estimate(model: ModelConfig, config: TrainConfig, *, fused: bool = False) -> Memory:
    """Estimate the rank that needs most; `fused` with Transformer Engine's layers."""
    kept, stages = _FUSED if fused else _PLAIN, range(config.parallel.pipeline_parallel)
    return max((_of_stage(model, config, stage, kept) for stage in stages), key=_total)


def _total(memory: Memory) -> int:
    return memory.total


def _of_stage(model: ModelConfig, config: TrainConfig, stage: int, kept: _Kept) -> Memory:
    parallel, is_low = config.parallel, config.precision is Precision.BF16
    parameters = stage_parameters(model, parallel, stage)
    replicas = parallel.data_parallel * parallel.context_parallel if parallel.distributed_optimizer else 1
    layer = _layer_bytes(model, config, kept)
    layers = _layers_in_flight(model, config, stage)
    of_layer = _input_bytes(model, config) if config.recompute else layer
    ends = _head_bytes(model, config, kept) if stage == parallel.pipeline_parallel - 1 else 0
    return Memory(
        weights=parameters * (2 if is_low else 4),
        gradients=parameters * 4,
        optimizer=parameters * (12 if is_low else 8) // replicas,
        activations=int(layers * of_layer) + ends,
        working=layer * (2 if config.recompute else 1),
    )


def stage_parameters(model: ModelConfig, parallel: ParallelConfig, stage: int) -> int:
    """Count the weights that a rank of a pipeline stage holds."""
    hidden, dim, tensor = model.hidden_size, model.head_dim, parallel.tensor_parallel
    qkv = (model.num_attention_heads + 2 * model.num_query_groups) * dim
    cut = hidden * qkv + (qkv if model.qkv_bias else 0) + model.num_attention_heads * dim * hidden
    cut += 3 * hidden * model.ffn_hidden_size
    whole = 2 * hidden + (2 * dim if model.qk_norm else 0)
    is_first, is_last = stage == 0, stage == parallel.pipeline_parallel - 1
    matrices = is_first + is_last - (is_first and is_last and model.tie_embeddings)
    layers = model.num_layers // parallel.pipeline_parallel
    embeddings = matrices * model.vocab_size * hidden // tensor
    return layers * (cut // tensor + whole) + embeddings + (hidden if is_last else 0)


def _layers_in_flight(model: ModelConfig, config: TrainConfig, stage: int) -> float:
    """Count layers times micro-batches whose activations are held at once (1F1B; with virtual stages some more)."""
    parallel = config.parallel
    stages, virtual = parallel.pipeline_parallel, parallel.virtual_pipeline
    layers = model.num_layers / stages
    if virtual > 1:
        return float(model.num_layers * (1 + (stages - 1) / (stages * virtual)) - stage * layers)
    waiting = max(1, config.global_batch_size // (config.micro_batch_size * parallel.data_parallel))
    return layers * min(stages - stage, waiting)


def _layer_bytes(model: ModelConfig, config: TrainConfig, kept: _Kept) -> int:
    """Add up what the backward pass of one layer needs of one micro-batch.

    Not cut by tensor parallelism, but by sequence parallelism: what both norms keep, and the masks of dropout. Cut: q, k, and the
    product that v is a view of, what attention gives and its normalizer, and the feed-forward layer.
    """
    tensor, element, hidden = config.parallel.tensor_parallel, _element(config), model.hidden_size
    whole = 2 * (kept.hidden * hidden * element + 4) + (2 * hidden if config.dropout else 0)
    heads, groups, dim = model.num_attention_heads, model.num_query_groups, model.head_dim
    cut = 3 * (heads + groups) * dim * element + 4 * heads + kept.feed_forward * model.ffn_hidden_size * element
    share = tensor if config.parallel.sequence_parallel else 1
    return _tokens(config) * (whole // share + kept.rotary * dim * 4 + cut // tensor)


def _input_bytes(model: ModelConfig, config: TrainConfig) -> int:
    parallel = config.parallel
    share = parallel.tensor_parallel if parallel.sequence_parallel else 1
    return _tokens(config) * model.hidden_size * _element(config) // share


def _head_bytes(model: ModelConfig, config: TrainConfig, kept: _Kept) -> int:
    """Add up the last norm, and the logits: once, or, cut by tensor parallelism, with Megatron's FP32 softmax of them."""
    tensor, element = config.parallel.tensor_parallel, _element(config)
    logits = model.vocab_size * (element if tensor == 1 else element + 4) // tensor
    return _tokens(config) * (logits + kept.hidden * model.hidden_size * element)


def _tokens(config: TrainConfig) -> int:
    return config.micro_batch_size * config.seq_length // config.parallel.context_parallel


def _element(config: TrainConfig) -> int:
    return 4 if config.precision is Precision.FP32 else 2


def describe(memory: Memory) -> str:
    """Say the parts and the sum.

    >>> describe(Memory(weights=2 * 10**9, gradients=4 * 10**9, optimizer=10**9, activations=5 * 10**8, working=10**8))
    '2.0 GB weights + 4.0 GB gradients + 1.0 GB optimizer + 0.6 GB activations = 7.6 GB'
    """
    parts = {"weights": memory.weights, "gradients": memory.gradients, "optimizer": memory.optimizer}
    parts["activations"] = memory.activations + memory.working
    return " + ".join(f"{_gigabytes(value)} {name}" for name, value in parts.items()) + f" = {_gigabytes(memory.total)}"


def check_fits(memory: Memory, device_bytes: int, where: str) -> None:
    """Refuse a training whose rank needs more than its device has."""
    if memory.total * MARGIN > device_bytes:
        raise ValueError(
            f"a rank needs {describe(memory)}, and {MARGIN - 1:.0%} over; {where} has {_gigabytes(device_bytes)}: set recompute, "
            "a smaller micro_batch_size or distributed_optimizer, or raise tensor_parallel, pipeline_parallel or "
            "context_parallel"
        )


def _gigabytes(value: int) -> str:
    return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e9:.2g} GB"
