"""config.json of the families that are read and written here: what it says, and what is refused by name.

Read: Qwen2 and Qwen2.5, Qwen3, the Llama family, and the original Qwen, whose config has names of its own. Written: what
transformers 4.57 and 5 both read; the original Qwen as Qwen2, the architecture that has its mathematics inside the
trained length. What would change the mathematics and is not built here is refused: scaled rotary positions (Llama 3.1's
`llama3`, YaRN, linear), sliding windows, biases elsewhere, experts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from specialize.config import Architecture, ModelConfig

_MODEL_TYPES = {kind.value: kind for kind in Architecture}
_NEEDED = (
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "vocab_size",
    "max_position_embeddings",
)
_PLAIN: dict[Architecture, dict[str, object]] = {
    Architecture.QWEN: {"no_bias": True, "rotary_pct": 1.0, "scale_attn_weights": True, "tie_word_embeddings": False},
    Architecture.QWEN2: {"hidden_act": "silu", "use_sliding_window": False},
    Architecture.QWEN3: {"hidden_act": "silu", "use_sliding_window": False, "attention_bias": False},
    Architecture.LLAMA: {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "pretraining_tp": 1},
}
"""Settings that change the mathematics, and the one value that is built here."""
_BIAS = {Architecture.QWEN: True, Architecture.QWEN2: True, Architecture.QWEN3: False, Architecture.LLAMA: False}
"""Biases on q, k and v."""
_CLASSES = {
    Architecture.QWEN: ("Qwen2ForCausalLM", "qwen2"),
    Architecture.QWEN2: ("Qwen2ForCausalLM", "qwen2"),
    Architecture.QWEN3: ("Qwen3ForCausalLM", "qwen3"),
    Architecture.LLAMA: ("LlamaForCausalLM", "llama"),
}
"""As what an architecture is written."""
DROPPED = {
    Architecture.QWEN: (
        "The original Qwen is written in the Qwen2 architecture, which computes the same inside the trained length. "
        "Beyond it the original code scales queries by the logarithm of their position (LogN) and raises the rotary "
        "base with the length (dynamic NTK); both are options of its inference code, and this folder has neither."
    ),
}
"""What an export leaves out, for card and documentation."""


def model_config(config: Mapping[str, object], where: str) -> ModelConfig:
    """Read a config.json as transformers 4 or 5 writes it, or as the original Qwen has it."""
    kind = _MODEL_TYPES.get(str(config.get("model_type")))
    if kind is None:
        raise ValueError(
            f"{where} is a {config.get('model_type')!r} model; this product reads qwen2 (Qwen2, Qwen2.5), qwen3, llama "
            "and qwen (the original Qwen)"
        )
    for key, plain in _PLAIN[kind].items():
        if config.get(key, plain) != plain:
            raise ValueError(f"{where} has {key} = {config[key]!r}; this product reads models with {plain!r} only")
    theta = _rotary_base(config, where)
    number = {key: value for key, value in config.items() if isinstance(value, int | float)}
    if missing := [key for key in _NEEDED if key not in number]:
        raise ValueError(f"{where} lacks {', '.join(missing)}; give the config.json of a whole checkpoint")
    read: Callable[..., ModelConfig] = _original if kind is Architecture.QWEN else _modern
    return read(kind, number, theta, where)


def _rotary_base(config: Mapping[str, object], where: str) -> float | None:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default")) if isinstance(rope, Mapping) else rope
    if kind != "default":
        raise ValueError(
            f"{where} scales its rotary positions ({kind!r}: {rope}); this product reads plain ones. Where the trained "
            "length is enough, remove the scaling from a copy of config.json, knowing that this is another model"
        )
    theta = rope.get("rope_theta") if isinstance(rope, Mapping) else None
    return float(theta) if theta else None


def _modern(kind: Architecture, number: Mapping[str, Any], theta: float | None, where: str) -> ModelConfig:
    del where
    heads = int(number["num_attention_heads"])
    return ModelConfig(
        architecture=kind,
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
        qkv_bias=_BIAS[kind],
        tie_embeddings=bool(number.get("tie_word_embeddings", False)),
        initializer_std=float(number.get("initializer_range", 0.02)),
    )


def _original(kind: Architecture, number: Mapping[str, Any], theta: float | None, where: str) -> ModelConfig:
    """Read the original Qwen: `intermediate_size` counts both halves, `seq_length` is the trained length."""
    if number["intermediate_size"] % 2:
        raise ValueError(f"{where}: intermediate_size must be even, since it counts w1 and w2, got an odd one")
    heads = int(number["num_attention_heads"])
    return ModelConfig(
        architecture=kind,
        num_layers=int(number["num_hidden_layers"]),
        hidden_size=int(number["hidden_size"]),
        ffn_hidden_size=int(number["intermediate_size"]) // 2,
        num_attention_heads=heads,
        num_query_groups=heads,
        head_dim=int(number.get("kv_channels", int(number["hidden_size"]) // heads)),
        vocab_size=int(number["vocab_size"]),
        max_position_embeddings=int(number.get("seq_length", number["max_position_embeddings"])),
        rotary_base=float(theta or number.get("rotary_emb_base", 10_000.0)),
        norm_epsilon=float(number.get("layer_norm_epsilon", 1e-6)),
        initializer_std=float(number.get("initializer_range", 0.02)),
    )


def hugging_face_config(model: ModelConfig, *, dtype: str, eos: int, pad: int) -> dict[str, object]:
    """Write config.json for transformers 4 and 5 at once.

    A checkpoint with the keys of 5 alone loads in 4.57 with a rotary base of 10,000, silently; so both forms are written.
    """
    kind = model.architecture
    if model.qkv_bias is not _BIAS[kind]:
        raise ValueError(
            f"a {kind.value} checkpoint has {'' if _BIAS[kind] else 'no '}biases on q, k and v, "
            f"got ModelConfig.qkv_bias = {model.qkv_bias}; choose the other architecture"
        )
    name, model_type = _CLASSES[kind]
    settings = {key: value for key, value in _PLAIN[kind].items() if key in ("attention_bias", "mlp_bias")}
    return {
        "architectures": [name],
        "model_type": model_type,
        "hidden_size": model.hidden_size,
        "intermediate_size": model.ffn_hidden_size,
        "num_hidden_layers": model.num_layers,
        "num_attention_heads": model.num_attention_heads,
        "num_key_value_heads": model.num_query_groups,
        "head_dim": model.head_dim,
        **settings,
        **({} if kind is Architecture.LLAMA else {"use_sliding_window": False}),
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
