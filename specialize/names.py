"""The table of names: what Megatron calls a weight, what checkpoints call its parts, their shapes, how they become one.

Dialects: Hugging Face's for Qwen2, Qwen2.5, Qwen3 and Llama; that of the original Qwen (q, k and v stacked in `c_attn`; the
gate is `w2`, not `w1`); that of GGUF. A row is read in both directions, so what goes in comes out bit for bit. The Megatron
side is the state of a model on one rank; any other layout comes from its distributed checkpoint.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from specialize.config import Architecture, ModelConfig
from specialize.tensors import Shape, State


class Dialect(enum.Enum):
    """Whose names a state has."""

    HUGGING_FACE = "Hugging Face"
    QWEN = "the original Qwen"
    GGUF = "GGUF"


_PREFIX = {
    Dialect.HUGGING_FACE: "model.layers.{}.",
    Dialect.QWEN: "transformer.h.{}.",
    Dialect.GGUF: "blk.{}.",
}


@dataclass(frozen=True)
class Rule:
    """How the parts of a row become Megatron's tensor, and back."""

    join: Callable[[Sequence[torch.Tensor], ModelConfig], torch.Tensor]
    split: Callable[[torch.Tensor, ModelConfig], Sequence[torch.Tensor]]


def _interleave(parts: Sequence[torch.Tensor], model: ModelConfig) -> torch.Tensor:
    """Group by group: the queries of a group, its key, its value."""
    grouped = [part.reshape(model.num_query_groups, -1, *part.shape[1:]) for part in parts]
    return torch.cat(grouped, dim=1).reshape(-1, *parts[0].shape[1:])


def _separate(tensor: torch.Tensor, model: ModelConfig) -> Sequence[torch.Tensor]:
    queries = model.num_attention_heads // model.num_query_groups
    grouped = tensor.reshape(model.num_query_groups, (queries + 2) * model.head_dim, *tensor.shape[1:])
    sizes = [queries * model.head_dim, model.head_dim, model.head_dim]
    return [part.reshape(-1, *tensor.shape[1:]) for part in torch.split(grouped, sizes, dim=1)]


_SAME = Rule(lambda parts, _: parts[0], lambda tensor, _: [tensor])
_QKV = Rule(_interleave, _separate)
_GATE_UP = Rule(lambda parts, _: torch.cat(list(parts)), lambda tensor, _: tensor.chunk(2))


@dataclass(frozen=True)
class Row:
    """One tensor of Megatron's. A dialect with one name where there are several parts stacks them."""

    ours: str
    hugging_face: tuple[str, ...]
    qwen: tuple[str, ...]
    gguf: tuple[str, ...]
    shapes: tuple[str, ...]
    """Of the parts, in letters of `_sizes`."""
    rule: Rule = _SAME

    def names(self, dialect: Dialect) -> tuple[str, ...]:
        """Give the names of this row in a dialect."""
        return {Dialect.HUGGING_FACE: self.hugging_face, Dialect.QWEN: self.qwen, Dialect.GGUF: self.gguf}[dialect]


def _of(kind: str, form: str, names: str) -> tuple[str, ...]:
    return tuple(form.format(name) + kind for name in names)


def _qkv(kind: str, shapes: tuple[str, ...]) -> Row:
    theirs = _of(kind, "self_attn.{}_proj", "qkv"), (f"attn.c_attn{kind}",), _of(kind, "attn_{}", "qkv")
    return Row(f"self_attention.linear_qkv{kind}", *theirs, shapes, _QKV)


_ENDS = (
    Row(
        "embedding.word_embeddings.weight",
        ("model.embed_tokens.weight",),
        ("transformer.wte.weight",),
        ("token_embd.weight",),
        ("v h",),
    ),
    Row(
        "decoder.final_layernorm.weight",
        ("model.norm.weight",),
        ("transformer.ln_f.weight",),
        ("output_norm.weight",),
        ("h",),
    ),
)
HEAD = Row("output_layer.weight", ("lm_head.weight",), ("lm_head.weight",), ("output.weight",), ("v h",))
_LAYER = (
    Row("input_layernorm.weight", ("input_layernorm.weight",), ("ln_1.weight",), ("attn_norm.weight",), ("h",)),
    _qkv(".weight", ("q h", "k h", "k h")),
    Row(
        "self_attention.linear_proj.weight",
        ("self_attn.o_proj.weight",),
        ("attn.c_proj.weight",),
        ("attn_output.weight",),
        ("h q",),
    ),
    Row(
        "pre_mlp_layernorm.weight", ("post_attention_layernorm.weight",), ("ln_2.weight",), ("ffn_norm.weight",), ("h",)
    ),
    Row(
        "mlp.linear_fc1.weight",
        ("mlp.gate_proj.weight", "mlp.up_proj.weight"),
        ("mlp.w2.weight", "mlp.w1.weight"),  # w1(x) * silu(w2(x))
        ("ffn_gate.weight", "ffn_up.weight"),
        ("f h", "f h"),
        _GATE_UP,
    ),
    Row("mlp.linear_fc2.weight", ("mlp.down_proj.weight",), ("mlp.c_proj.weight",), ("ffn_down.weight",), ("h f",)),
)
_BIAS = _qkv(".bias", ("q", "k", "k"))
_QK_NORM = tuple(
    Row(
        f"self_attention.{x}_layernorm.weight",
        (f"self_attn.{x}_norm.weight",),
        (f"attn.{x}_norm.weight",),
        (f"attn_{x}_norm.weight",),
        ("d",),
    )
    for x in "qk"
)


def _sizes(model: ModelConfig) -> dict[str, int]:
    return {
        "v": model.vocab_size,
        "h": model.hidden_size,
        "q": model.num_attention_heads * model.head_dim,
        "k": model.num_query_groups * model.head_dim,
        "d": model.head_dim,
        "f": model.ffn_hidden_size,
    }


@dataclass(frozen=True)
class Entry:
    """A row of the table for one model: names with their layer, and shapes in numbers."""

    ours: str
    names: tuple[str, ...]
    parts: tuple[Shape, ...]
    rule: Rule

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shapes by the names of the dialect; stacked parts count together."""
        if len(self.names) == len(self.parts):
            return dict(zip(self.names, self.parts, strict=True))
        return {self.names[0]: (sum(part[0] for part in self.parts), *self.parts[0][1:])}

    def join(self, state: State, model: ModelConfig) -> torch.Tensor:
        """Make Megatron's tensor; a part of another shape than model.json says is refused by name."""
        found = [state[name] for name in self.names]
        for tensor, (name, shape) in zip(found, self.shapes.items(), strict=True):
            if tuple(tensor.shape) != shape:
                raise ValueError(
                    f"the checkpoint's {name!r} has the shape {list(tensor.shape)}, its config says {list(shape)}"
                )
        if len(found) < len(self.parts):
            found = list(torch.split(found[0], [part[0] for part in self.parts]))
        return self.rule.join(found, model).contiguous()

    def split(self, tensor: torch.Tensor, model: ModelConfig) -> dict[str, torch.Tensor]:
        """Undo `join`."""
        parts = self.rule.split(tensor, model)
        if len(self.names) < len(parts):
            parts = [torch.cat(list(parts))]
        return {name: part.contiguous() for name, part in zip(self.names, parts, strict=True)}


def table(model: ModelConfig, dialect: Dialect = Dialect.HUGGING_FACE) -> Iterator[Entry]:
    """List the rows of a model, layer by layer."""
    sizes = _sizes(model)

    def entry(row: Row, ours: str, theirs: str) -> Entry:
        shapes = tuple(tuple(sizes[letter] for letter in part.split()) for part in row.shapes)
        names = row.names(dialect)
        if dialect is Dialect.GGUF and model.architecture is Architecture.QWEN and row.rule is _QKV:
            names = (names[0].replace("attn_q", "attn_qkv"),)
        return Entry(ours + row.ours, tuple(theirs + name for name in names), shapes, row.rule)

    ends = _ENDS if model.tie_embeddings else (*_ENDS, HEAD)
    layer = (*_LAYER, *((_BIAS,) if model.qkv_bias else ()), *(_QK_NORM if model.qk_norm else ()))
    yield from (entry(row, "", "") for row in ends)
    for index in range(model.num_layers):
        yield from (entry(row, f"decoder.layers.{index}.", _PREFIX[dialect].format(index)) for row in layer)


def shapes_of(model: ModelConfig, dialect: Dialect = Dialect.HUGGING_FACE) -> dict[str, Shape]:
    """List what a checkpoint of this model has: shapes by name, in the order of the table."""
    return {name: shape for entry in table(model, dialect) for name, shape in entry.shapes.items()}


def count(model: ModelConfig) -> int:
    """Count the weights."""
    return sum(math.prod(shape) for shape in shapes_of(model).values())
