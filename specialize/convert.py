"""Hugging Face names <-> Megatron names: one table, two directions, bit for bit.

The Megatron side is the state of a model on one rank; any other layout comes from its distributed checkpoint. Rows are
(Megatron name, Hugging Face names, how several become one). Families: Qwen2, Qwen2.5 and Llama, which differ in the bias
of q, k and v alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from specialize.config import Architecture, ModelConfig

State = dict[str, torch.Tensor]
_EXTRA = "_extra_state"
"""Ending of entries of a Megatron state that hold no weights."""
_FUSED = (
    (".self_attention.linear_qkv.layer_norm_", ".input_layernorm."),
    (".mlp.linear_fc1.layer_norm_", ".pre_mlp_layernorm."),
)
"""Transformer Engine keeps a norm inside the layer that follows it: its name there, and the name in the table."""


@dataclass(frozen=True)
class Rule:
    """How Hugging Face tensors become one of Megatron's, and back."""

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

_ENDS = (
    ("embedding.word_embeddings.weight", ("model.embed_tokens.weight",), _SAME),
    ("decoder.final_layernorm.weight", ("model.norm.weight",), _SAME),
)
_HEAD = ("output_layer.weight", ("lm_head.weight",), _SAME)
_LAYER = (
    ("input_layernorm.weight", ("input_layernorm.weight",), _SAME),
    ("self_attention.linear_qkv.weight", tuple(f"self_attn.{x}_proj.weight" for x in "qkv"), _QKV),
    ("self_attention.linear_proj.weight", ("self_attn.o_proj.weight",), _SAME),
    ("pre_mlp_layernorm.weight", ("post_attention_layernorm.weight",), _SAME),
    ("mlp.linear_fc1.weight", ("mlp.gate_proj.weight", "mlp.up_proj.weight"), _GATE_UP),
    ("mlp.linear_fc2.weight", ("mlp.down_proj.weight",), _SAME),
)
_BIAS = ("self_attention.linear_qkv.bias", tuple(f"self_attn.{x}_proj.bias" for x in "qkv"), _QKV)


def table(model: ModelConfig) -> Iterator[tuple[str, tuple[str, ...], Rule]]:
    """List the rows of a model."""
    yield from _ENDS
    if not model.tie_embeddings:
        yield _HEAD
    for layer in range(model.num_layers):
        for ours, theirs, rule in (*_LAYER, *((_BIAS,) if model.qkv_bias else ())):
            yield f"decoder.layers.{layer}.{ours}", tuple(f"model.layers.{layer}.{name}" for name in theirs), rule


def model_state(model: torch.nn.Module) -> State:
    """Take the weights of a model under the names of the table, whichever layers it is built of."""
    return {_plain(name): value for name, value in model.state_dict().items() if not name.endswith(_EXTRA)}


def load_state(model: torch.nn.Module, state: State) -> None:
    """Put all weights into a model; one that is missing or left over is refused by name."""
    names = {_plain(name): name for name in model.state_dict() if not name.endswith(_EXTRA)}
    if different := sorted(names.keys() ^ state.keys()):
        where = "the model" if different[0] in names else "the weights"
        raise ValueError(f"{different[0]!r} is in {where} alone ({len(different)} such names); check model.json")
    model.load_state_dict({names[name]: value for name, value in state.items()}, strict=False)


def _plain(name: str) -> str:
    for fused, plain in _FUSED:
        name = name.replace(fused, plain)
    return name


def to_megatron(state: Mapping[str, torch.Tensor], model: ModelConfig) -> State:
    """Rename and join; a missing or a surplus tensor is refused by name."""
    rows = list(table(model))
    known = {name for _, theirs, _ in rows for name in theirs}
    surplus = sorted(name for name in state.keys() - known if not name.endswith("rotary_emb.inv_freq"))
    if model.tie_embeddings:
        surplus = [name for name in surplus if name != "lm_head.weight"]
    missing = sorted(known - state.keys())
    if missing or surplus:
        what = f"lacks {missing[0]!r}" if missing else f"has {surplus[0]!r}, which this architecture does not"
        raise ValueError(f"the checkpoint {what} ({len(missing)} tensors missing, {len(surplus)} too many)")
    return {ours: rule.join([state[name] for name in theirs], model).contiguous() for ours, theirs, rule in rows}


def to_hugging_face(state: Mapping[str, torch.Tensor], model: ModelConfig) -> State:
    """Split and rename."""
    found: State = {}
    for ours, theirs, rule in table(model):
        parts = rule.split(state[ours], model)
        found |= {name: part.contiguous() for name, part in zip(theirs, parts, strict=True)}
    return found


_NEEDED = (
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "vocab_size",
    "max_position_embeddings",
)
_PLAIN = {"hidden_act": "silu", "use_sliding_window": False, "mlp_bias": False}
"""Settings that change the mathematics, and the one value that is built here."""


def model_config(config: Mapping[str, object], where: str) -> ModelConfig:
    """Read a Hugging Face config.json, as transformers 4 or 5 writes it."""
    kind = str(config.get("model_type"))
    if kind not in ("qwen2", "llama"):
        raise ValueError(f"{where} is a {kind!r} model; this product reads qwen2 (Qwen2, Qwen2.5) and llama")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(rope, Mapping) or rope.get("rope_type", rope.get("type", "default")) != "default":
        raise ValueError(f"{where} scales its rotary positions ({rope}); this product reads plain ones")
    for key, plain in _PLAIN.items():
        if config.get(key, plain) != plain:
            raise ValueError(f"{where} has {key} = {config[key]!r}; this product reads models with {plain!r} only")
    number = {key: value for key, value in config.items() if isinstance(value, int | float)}
    if missing := [key for key in _NEEDED if key not in number]:
        raise ValueError(f"{where} lacks {', '.join(missing)}; give the config.json of a whole checkpoint")
    heads = int(number["num_attention_heads"])
    theta = rope.get("rope_theta")
    return ModelConfig(
        architecture=Architecture(kind),
        num_layers=int(number["num_hidden_layers"]),
        hidden_size=int(number["hidden_size"]),
        ffn_hidden_size=int(number["intermediate_size"]),
        num_attention_heads=heads,
        num_query_groups=int(number.get("num_key_value_heads", heads)),
        head_dim=int(number.get("head_dim", int(number["hidden_size"]) // heads)),
        vocab_size=int(number["vocab_size"]),
        max_position_embeddings=int(number["max_position_embeddings"]),
        rotary_base=float(theta or number.get("rope_theta", 10_000.0)),
        norm_epsilon=float(number.get("rms_norm_eps", 1e-6)),
        qkv_bias=kind == "qwen2" or bool(config.get("attention_bias")),
        tie_embeddings=bool(config.get("tie_word_embeddings", False)),
        initializer_std=float(number.get("initializer_range", 0.02)),
    )


def hugging_face_config(model: ModelConfig, *, dtype: str, eos: int, pad: int) -> dict[str, object]:
    """Write config.json for transformers 4 and 5 at once.

    A checkpoint with the keys of 5 alone loads in 4.57 with a rotary base of 10,000, silently; so both forms are written.
    """
    llama = model.architecture is Architecture.LLAMA
    if model.qkv_bias is llama:
        raise ValueError(
            f"a {model.architecture.value} checkpoint has {'no ' if llama else ''}biases on q, k and v, "
            f"got ModelConfig.qkv_bias = {model.qkv_bias}; choose the other architecture"
        )
    return {
        "architectures": ["LlamaForCausalLM" if llama else "Qwen2ForCausalLM"],
        "model_type": model.architecture.value,
        "hidden_size": model.hidden_size,
        "intermediate_size": model.ffn_hidden_size,
        "num_hidden_layers": model.num_layers,
        "num_attention_heads": model.num_attention_heads,
        "num_key_value_heads": model.num_query_groups,
        "head_dim": model.head_dim,
        **({"attention_bias": False, "mlp_bias": False} if llama else {"use_sliding_window": False}),
        "vocab_size": model.vocab_size,
        "max_position_embeddings": model.max_position_embeddings,
        "rope_theta": model.rotary_base,
        "rope_parameters": {"rope_type": "default", "rope_theta": model.rotary_base},
        "rms_norm_eps": model.norm_epsilon,
        "hidden_act": "silu",
        "attention_dropout": 0.0,
        "initializer_range": model.initializer_std,
        "tie_word_embeddings": model.tie_embeddings,
        "use_cache": True,
        "bos_token_id": None,
        "eos_token_id": eos,
        "pad_token_id": pad,
        "torch_dtype": dtype,
        "dtype": dtype,
    }
