"""What a model is and how it is trained: frozen, torch-free dataclasses that go into fingerprints and travel as JSON.

Guarantees: every value is checked at construction with a ValueError that names field, value and bound; `from_plain`
inverts `to_plain`. Defaults are the QWEN report's (arXiv 2309.16609) where it publishes one, and say so; the rest
is marked as ours. Leaves out what belongs to a machine: paths, devices, threads.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import typing
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

T = TypeVar("T")
MODEL_FILE = "model.json"
"""Beside `checkpoint/` and `tokenizer/` in every folder that holds a model."""


class Architecture(str, enum.Enum):
    """Families of RMSNorm, rotary positions and gated SiLU; they differ in names on disk, biases and norms of q and k."""

    QWEN = "qwen"
    """The original Qwen (QWEN report, 2.3): no grouping, biases on q, k and v, embeddings untied."""
    QWEN2 = "qwen2"
    """Qwen2 and Qwen2.5."""
    QWEN3 = "qwen3"
    """No biases; q and k normalised head by head (arXiv 2505.09388, 2)."""
    LLAMA = "llama"


class Schedule(str, enum.Enum):
    """Shape of the learning rate over the steps."""

    CONSTANT = "constant"
    """Linear warm-up, then the peak for good: Code-Qwen, report 4.1 ("3% warm-up and no learning rate decays")."""
    COSINE_RAMP = "cosine_ramp"
    """Cosine-shaped rise to the peak, then constant: Code-Qwen-Chat, report 4.2."""
    COSINE = "cosine"
    """Linear warm-up, then a cosine down to the minimum: report 2.4, pretraining."""
    WSD = "wsd"
    """Warm-up, stable, decay: linear warm-up, the peak, and at the end 1 - sqrt down to the minimum (Haegele et al. 2024,
    2405.18392, section 3; MiniCPM, 2404.06395). A run can be prolonged from any step of the peak."""


class OnSpike(str, enum.Enum):
    """What becomes of a step whose loss is a spike."""

    GO_ON = "go_on"
    """Its gradients count as any other's."""
    SKIP = "skip"
    """Its gradients are dropped: weights and moments stay as they are, the data goes on."""
    ROLL_BACK = "roll_back"
    """Weights and moments of the newest checkpoint come back and the data goes on behind the spike, as PaLM did
    (2204.02311, section 5.1)."""


class Attention(str, enum.Enum):
    """What a token sees of the documents before it in its sample."""

    MERGED = "merged"
    """All of them: report 2.4, documents are shuffled and merged, then truncated to the context length."""
    ISOLATED = "isolated"
    """None: exactly as if each document or conversation stood alone."""


class Precision(str, enum.Enum):
    """In what numbers the model computes."""

    FP32 = "fp32"
    BF16_AUTOCAST = "bf16_autocast"
    """FP32 parameters, BF16 matrix products: nearest to FP32 at small learning rates on CPU."""
    BF16 = "bf16"
    """BF16 parameters with FP32 masters in the optimizer: report 2.4."""


class BatchUnit(str, enum.Enum):
    """What `global_batch_size` of a fine-tuning counts."""

    CONVERSATIONS = "conversations"
    """As the report does (128 sequences a step, report 3.1.2): a step takes whole packs up to so many conversations."""
    PACKS = "packs"


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Shape of a decoder-only transformer; enough to build it and to convert it."""

    architecture: Architecture = Architecture.QWEN2
    num_layers: int
    hidden_size: int
    ffn_hidden_size: int
    """Width of the gated feed-forward layer, one of its two halves."""
    num_attention_heads: int
    num_query_groups: int
    """Key and value heads; equal to `num_attention_heads` without grouping."""
    head_dim: int
    vocab_size: int
    """Rows of the embedding, padding included."""
    max_position_embeddings: int
    rotary_base: float = 10_000.0
    norm_epsilon: float = 1e-6
    qkv_bias: bool = True
    tie_embeddings: bool = False
    initializer_std: float = 0.02
    """Standard deviation of random weights; Megatron divides it by sqrt(2 num_layers) on output projections."""

    def __post_init__(self) -> None:
        sizes = ("num_layers", "hidden_size", "ffn_hidden_size", "num_attention_heads", "num_query_groups", "head_dim")
        _at_least(self, 1, *sizes, "vocab_size", "max_position_embeddings")
        _above(self, 0, "rotary_base", "norm_epsilon", "initializer_std")
        if self.num_attention_heads % self.num_query_groups:
            raise ValueError(
                f"ModelConfig.num_attention_heads must be a multiple of num_query_groups {self.num_query_groups}, "
                f"got {self.num_attention_heads}"
            )
        if self.architecture is Architecture.QWEN and self.num_query_groups != self.num_attention_heads:
            raise ValueError(
                f"ModelConfig.num_query_groups must be num_attention_heads {self.num_attention_heads} in the original "
                f"Qwen, which does not group, got {self.num_query_groups}"
            )

    @property
    def qk_norm(self) -> bool:
        """Whether q and k are normalised head by head."""
        return self.architecture is Architecture.QWEN3

    def to_json(self) -> str:
        """Serialize; `from_json` gives it back."""
        return json.dumps(to_plain(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelConfig:
        """Parse what `to_json` wrote."""
        return from_plain(cls, json.loads(text))

    def save(self, folder: Path) -> None:
        """Write `folder/model.json` in one rename."""
        temporary = folder / f"{MODEL_FILE}.tmp"
        temporary.write_text(self.to_json())
        temporary.replace(folder / MODEL_FILE)

    @classmethod
    def load(cls, folder: Path) -> ModelConfig:
        """Read `folder/model.json`."""
        path = folder / MODEL_FILE
        if not path.is_file():
            raise ValueError(f"{folder} holds no model: {MODEL_FILE} is missing; name a base or a training output")
        return cls.from_json(path.read_text())


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW; numbers of the QWEN report, 2.4, 3.1.2 and 4."""

    learning_rate: float
    """Peak; report: 3e-5 and 6e-5 (code pretraining 7B, 14B), 1e-5 and 2e-6 (code SFT), 2e-5 (math SFT)."""
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    weight_decay: float = 0.1
    """Report 3.1.2; not on biases and norms, as Megatron does."""
    clip_norm: float = 1.0
    """Bound on the global gradient norm, report 3.1.2; 0 turns clipping off."""

    def __post_init__(self) -> None:
        _above(self, 0, "learning_rate", "epsilon")
        _at_least(self, 0, "weight_decay", "clip_norm")
        for name in ("beta1", "beta2"):
            _within(self, name, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class ParallelConfig:
    """How a model and its batch are cut over ranks; losses agree across layouts to float rounding."""

    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    context_parallel: int = 1
    data_parallel: int = 1
    sequence_parallel: bool = False
    """Cut activations between tensor-parallel regions too; needs `tensor_parallel` above 1."""
    distributed_optimizer: bool = False
    """Cut optimizer state over the data-parallel ranks."""
    virtual_pipeline: int = 1
    """Stages that a pipeline rank holds, each of fewer layers: smaller bubble, more messages (2104.04473, section 2.2)."""
    overlap: bool = False
    """Sum gradients while the backward pass still runs, and gather the distributed optimizer's weights in the forward pass."""

    def __post_init__(self) -> None:
        _at_least(self, 1, "tensor_parallel", "pipeline_parallel", "context_parallel", "data_parallel")
        _at_least(self, 1, "virtual_pipeline")
        if self.sequence_parallel and self.tensor_parallel == 1:
            raise ValueError("ParallelConfig.sequence_parallel needs tensor_parallel above 1, got 1")
        if self.virtual_pipeline > 1 and self.pipeline_parallel == 1:
            raise ValueError("ParallelConfig.virtual_pipeline needs pipeline_parallel above 1, got 1")

    @property
    def ranks(self) -> int:
        """Processes in all."""
        return self.tensor_parallel * self.pipeline_parallel * self.context_parallel * self.data_parallel


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What pretraining and fine-tuning share. Give the length as one of `train_steps` and what a subclass adds."""

    seq_length: int
    """Tokens a sample; report: 8192 (Code-Qwen, 4.1), 1024 (Math-Qwen-Chat, 5.1)."""
    global_batch_size: int
    """Samples of one optimizer step over all ranks; see `FineTuneConfig.batch_unit` for its unit there."""
    micro_batch_size: int = 1
    """Samples a rank computes at once: memory against speed, no effect on the result beyond rounding."""
    train_steps: int | None = None
    max_epochs: float = 1.0
    """Refuse to start when the data would be seen more often than this; ours."""
    optimizer: OptimizerConfig
    schedule: Schedule = Schedule.CONSTANT
    warmup_fraction: float = 0.03
    """Of the steps; report 4.1 and 4.2: 3%."""
    minimum_fraction: float = 0.1
    """Last learning rate over the peak, of Schedule.COSINE and WSD; report 2.4: 10%."""
    decay_fraction: float = 0.2
    """Of the steps, of Schedule.WSD; 2405.18392, figure 5: 10% to 20% give what a cosine does."""
    initial_fraction: float = 0.0
    """Learning rate before the first step over the peak: where the warm-up begins. Above 0 it warms up again from the last
    rate of the run whose weights it goes on with (2403.08763, section 6.1)."""
    attention: Attention = Attention.MERGED
    precision: Precision = Precision.BF16
    dropout: float = 0.0
    """Probability, after attention, feed-forward layer and embedding and on attention weights."""
    recompute: bool = False
    """Compute activations again in the backward pass: about a third more time, memory of one layer."""
    seed: int = 1234
    checkpoint_interval: int = 500
    """Steps between checkpoints; what a killed run loses at most."""
    save_in_background: bool = True
    """Write a checkpoint while training goes on; costs a copy of what is written, in memory of the host."""
    keep_last: int = 2
    """Newest checkpoints that stay while the run lasts; of one, a damaged one would be the end."""
    keep_every: int = 0
    """Checkpoints at multiples of so many steps stay for good, in steps/; a multiple of `checkpoint_interval`, 0: none."""
    on_spike: OnSpike = OnSpike.GO_ON
    spike_nats: float = 2.0
    """A loss is a spike when it is this far above the median of the last 32 steps; ours."""
    max_spikes: int = 10
    """A run with more of them ends: it diverges; ours."""
    stall_seconds: float = 1500.0
    """A rank that gets no further for so long is named and the run ends; below the 30 minutes of a collective."""
    parallel: ParallelConfig = field(default_factory=ParallelConfig)

    def __post_init__(self) -> None:
        _at_least(self, 1, "seq_length", "global_batch_size", "micro_batch_size", "checkpoint_interval")
        _at_least(self, 0, "seed")
        _at_least(self, 1, "keep_last", "max_spikes")
        _at_least(self, 0, "keep_every")
        _above(self, 0, "max_epochs", "spike_nats", "stall_seconds")
        for name in ("warmup_fraction", "minimum_fraction", "decay_fraction", "initial_fraction", "dropout"):
            _within(self, name, 0.0, 1.0)
        if self.schedule is Schedule.WSD and self.warmup_fraction + self.decay_fraction > 1:
            raise ValueError(
                f"{type(self).__name__}.decay_fraction and warmup_fraction must be at most 1 together, "
                f"got {self.decay_fraction} and {self.warmup_fraction}"
            )
        if self.keep_every % self.checkpoint_interval:
            raise ValueError(
                f"{type(self).__name__}.keep_every must be a multiple of checkpoint_interval {self.checkpoint_interval}, "
                f"got {self.keep_every}"
            )
        if self.attention is Attention.ISOLATED and self.parallel.context_parallel > 1:
            raise ValueError(
                f"{type(self).__name__}.attention isolated does not work with context_parallel "
                f"{self.parallel.context_parallel}: use tensor_parallel or recompute for long samples"
            )
        if self.seq_length % (2 * self.parallel.context_parallel) and self.parallel.context_parallel > 1:
            raise ValueError(
                f"{type(self).__name__}.seq_length must be a multiple of {2 * self.parallel.context_parallel} "
                f"with context_parallel {self.parallel.context_parallel}, got {self.seq_length}"
            )


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(TrainConfig):
    """Continued pretraining on a blend of code and replay text; length as `train_steps` or `train_tokens`."""

    train_tokens: int | None = None
    """Report 4.1: about 90 billion."""
    replay_fraction: float = 0.1
    """Share of samples that are text. The report gives none (version 1: "text and code", version 2: "the code data")
    and warns that code alone costs versatility; 10% is ours, DeepSeekMath and 2403.08763 use 5% to 30%."""
    weights: tuple[tuple[str, float], ...] = ()
    """(language or domain, weight) of the code: what has none is not read, what has too little gives all that
    `max_epochs` allows and the others take its place. Empty: every file as often as any other."""
    evaluation_interval: int = 0
    """Steps between measurements of bits per byte on held-out text of each domain; 0: none."""
    evaluation_samples: int = 64
    """Held-out samples a domain, the same ones every time; ours."""
    keep_best: bool = False
    """The checkpoint with the lowest held-out bits per byte stays for good, in steps/; domains weigh as in training."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _within(self, "replay_fraction", 0.0, 1.0)
        _at_least(self, 0, "evaluation_interval")
        _at_least(self, 1, "evaluation_samples")
        if self.keep_best and not self.evaluation_interval:
            raise ValueError("PretrainConfig.keep_best needs evaluation_interval above 0, got 0")
        names = [name for name, _ in self.weights]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(
                f"PretrainConfig.weights must name each language once, got {twice} {names.count(twice)} times"
            )
        for name, weight in self.weights:
            if not weight > 0:
                raise ValueError(f"PretrainConfig.weights must be above 0, got {weight} for {name}")
        _one_length(self, "train_steps", "train_tokens")
        per_step = self.micro_batch_size * self.parallel.data_parallel
        if self.global_batch_size % per_step:
            raise ValueError(
                f"PretrainConfig.global_batch_size must be a multiple of micro_batch_size x data_parallel, that is of "
                f"{per_step}, got {self.global_batch_size}"
            )
        if self.planned_steps() < 1:
            raise ValueError(
                f"PretrainConfig.train_tokens must be at least one step of {self.tokens_per_step()} tokens, "
                f"got {self.train_tokens}"
            )

    def tokens_per_step(self) -> int:
        """Tokens of one optimizer step."""
        return self.global_batch_size * self.seq_length

    def planned_steps(self) -> int:
        """Optimizer steps: whole ones inside the budget of tokens."""
        return self.train_steps if self.train_steps else (self.train_tokens or 0) // self.tokens_per_step()

    def planned_tokens(self) -> int:
        """Tokens over all steps."""
        return self.planned_steps() * self.tokens_per_step()


@dataclass(frozen=True, kw_only=True)
class FineTuneConfig(TrainConfig):
    """Supervised fine-tuning on packs; length as `train_steps` or `epochs`."""

    epochs: float | None = None
    """Passes over the packs."""
    global_batch_size: int = 128
    """Report 3.1.2."""
    batch_unit: BatchUnit = BatchUnit.CONVERSATIONS
    schedule: Schedule = Schedule.COSINE_RAMP
    attention: Attention = Attention.ISOLATED
    dropout: float = 0.1
    """Report 3.1.2."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _one_length(self, "train_steps", "epochs")
        if self.epochs is not None and self.epochs > self.max_epochs:
            raise ValueError(f"FineTuneConfig.epochs must be at most max_epochs {self.max_epochs}, got {self.epochs}")

    def planned_steps(self) -> int:
        """Optimizer steps; 0 where only the data can tell, that is with `epochs`."""
        return self.train_steps or 0

    def planned_tokens(self) -> int:
        """Tokens over all planned steps at most: as if every sample were `seq_length` long."""
        return self.planned_steps() * self.global_batch_size * self.seq_length


def model_parameters(model: ModelConfig) -> int:
    """Count the weights of a model, tied ones once."""
    hidden, heads, groups = model.hidden_size, model.num_attention_heads, model.num_query_groups
    qkv = (heads + 2 * groups) * model.head_dim
    attention = hidden * qkv + (qkv if model.qkv_bias else 0) + heads * model.head_dim * hidden
    norms = 2 * hidden + (2 * model.head_dim if model.qk_norm else 0)
    layer = attention + 3 * hidden * model.ffn_hidden_size + norms
    embeddings = (1 if model.tie_embeddings else 2) * model.vocab_size * hidden
    return model.num_layers * layer + embeddings + hidden


def to_plain(value: Any) -> Any:
    """Turn a config into JSON values.

    >>> to_plain(ParallelConfig(data_parallel=2))["data_parallel"]
    2
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    return value.value if isinstance(value, enum.Enum) else value


def from_plain(kind: type[T], values: dict[str, Any]) -> T:
    """Build a config from JSON values; an unknown key is refused."""
    hints = typing.get_type_hints(kind)
    unknown = sorted(values.keys() - hints.keys())
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {unknown[0]!r} (has: {', '.join(hints)})")
    return kind(**{name: _restore(hints[name], value) for name, value in values.items()})


def _restore(hint: Any, value: Any) -> Any:
    if value is None or isinstance(hint, UnionType) or not isinstance(hint, type):
        return value
    if dataclasses.is_dataclass(hint):
        return from_plain(hint, value)
    return hint(value) if issubclass(hint, (enum.Enum, float)) else value


def _at_least(config: Any, bound: int, *names: str) -> None:
    for name in names:
        if getattr(config, name) < bound:
            raise ValueError(f"{type(config).__name__}.{name} must be at least {bound}, got {getattr(config, name)}")


def _above(config: Any, bound: int, *names: str) -> None:
    for name in names:
        if not getattr(config, name) > bound:
            raise ValueError(f"{type(config).__name__}.{name} must be above {bound}, got {getattr(config, name)}")


def _within(config: Any, name: str, low: float, high: float) -> None:
    if not low <= getattr(config, name) <= high:
        raise ValueError(f"{type(config).__name__}.{name} must be in {low} to {high}, got {getattr(config, name)}")


def _one_length(config: Any, *names: str) -> None:
    given = [name for name in names if getattr(config, name) is not None]
    if len(given) != 1:
        raise ValueError(f"{type(config).__name__} needs exactly one of {' and '.join(names)}, got {given or 'none'}")
    _above(config, 0, given[0])
