"""The original Qwen in plain torch, written from the QWEN report (2.3, 2.5) and the names of its published checkpoints.

It is the reference of the tests: nothing of it comes from the product, and it has what an export drops: LogN scaling and
dynamic NTK beyond the trained length.
"""

import math

import torch
from torch.nn import functional


def config(*, layers=2, hidden=32, heads=4, ffn=24, vocab=300, seq_length=48, **changes):
    """A config.json with the published keys; `intermediate_size` counts both halves."""
    return {
        "architectures": ["QWenLMHeadModel"],
        "auto_map": {"AutoModelForCausalLM": "modeling_qwen.QWenLMHeadModel"},
        "model_type": "qwen",
        "hidden_size": hidden,
        "intermediate_size": 2 * ffn,
        "kv_channels": hidden // heads,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "vocab_size": vocab,
        "seq_length": seq_length,
        "max_position_embeddings": 4 * seq_length,
        "layer_norm_epsilon": 1e-6,
        "rotary_emb_base": 10_000,
        "rotary_pct": 1.0,
        "no_bias": True,
        "scale_attn_weights": True,
        "use_logn_attn": True,
        "use_dynamic_ntk": True,
        "tie_word_embeddings": False,
        "initializer_range": 0.02,
        "tokenizer_class": "QWenTokenizer",
        **changes,
    }


def weights(config, *, seed=0):
    """Random weights; norms and biases too, so that a swap shows."""
    generator = torch.Generator().manual_seed(seed)
    hidden, ffn = config["hidden_size"], config["intermediate_size"] // 2
    sizes = {"transformer.wte.weight": (config["vocab_size"], hidden), "transformer.ln_f.weight": (hidden,)}
    sizes["lm_head.weight"] = (config["vocab_size"], hidden)
    for layer in range(config["num_hidden_layers"]):
        name = f"transformer.h.{layer}."
        sizes[name + "ln_1.weight"] = sizes[name + "ln_2.weight"] = (hidden,)
        sizes[name + "attn.c_attn.weight"] = (3 * hidden, hidden)
        sizes[name + "attn.c_attn.bias"] = (3 * hidden,)
        sizes[name + "attn.c_proj.weight"] = (hidden, hidden)
        sizes[name + "mlp.w1.weight"] = sizes[name + "mlp.w2.weight"] = (ffn, hidden)
        sizes[name + "mlp.c_proj.weight"] = (hidden, ffn)
    return {name: torch.randn(size, generator=generator) * 0.3 for name, size in sizes.items()}


def logits(config, state, tokens):
    """Compute the logits of one sequence."""
    x = state["transformer.wte.weight"][tokens]
    for layer in range(config["num_hidden_layers"]):
        own = {name.split(f"h.{layer}.")[1]: value for name, value in state.items() if f".h.{layer}." in name}
        x = x + _attention(config, own, _norm(config, x, own["ln_1.weight"]))
        y = _norm(config, x, own["ln_2.weight"])
        x = x + (y @ own["mlp.w1.weight"].T * functional.silu(y @ own["mlp.w2.weight"].T)) @ own["mlp.c_proj.weight"].T
    return _norm(config, x, state["transformer.ln_f.weight"]) @ state["lm_head.weight"].T


def _norm(config, x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + config["layer_norm_epsilon"]) * weight


def _attention(config, own, x):
    length, heads, dim = len(x), config["num_attention_heads"], config["kv_channels"]
    q, k, v = (
        (x @ own["attn.c_attn.weight"].T + own["attn.c_attn.bias"]).view(length, 3, heads, dim).permute(1, 2, 0, 3)
    )
    angles = _angles(config, length, dim)
    q, k = _rotated(q, angles), _rotated(k, angles)
    if config["use_logn_attn"]:
        places = torch.arange(1, length + 1).float()
        q = q * torch.clamp(places.log() / math.log(config["seq_length"]), min=1.0)[:, None]
    scores = q @ k.transpose(-1, -2) / math.sqrt(dim)
    scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -torch.inf)
    mixed = (scores.softmax(-1) @ v).transpose(0, 1).reshape(length, heads * dim)
    return mixed @ own["attn.c_proj.weight"].T


def _angles(config, length, dim):
    base = config["rotary_emb_base"]
    if config["use_dynamic_ntk"]:
        alpha = max(2 ** math.ceil(math.log2(length / config["seq_length"]) + 1) - 1, 1)
        base *= alpha ** (dim / (dim - 2))
    frequencies = 1.0 / base ** (torch.arange(0, dim, 2).float() / dim)
    return torch.outer(torch.arange(length).float(), frequencies).repeat(1, 2)


def _rotated(x, angles):
    first, second = x.chunk(2, -1)
    return x * angles.cos() + torch.cat((-second, first), -1) * angles.sin()
