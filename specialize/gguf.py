"""A GGUF file of the Llama family as Hugging Face tensors and tokenizer: dequantised to FP32, renamed.

llama.cpp stores the rows of q and k in pairs for its rotary layout; they are put back. Reading is all there is: weights
are training's concern afterwards. Source: the GGUF specification; the permutation is that of llama.cpp's converter.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from specialize.config import Architecture, ModelConfig
from specialize.convert import State

_ENDS = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_CONTROL = 3
"""Token type of control tokens in GGUF."""
_PRETOKENIZERS = {"smollm": r"\p{N}"}
"""What a pre-tokenizer of GGUF splits apart before its bytes, by name."""


class GgufFile:
    """An open GGUF file."""

    def __init__(self, path: Path) -> None:
        from gguf import GGUFReader

        self.path = path
        self._reader = GGUFReader(str(path))
        if self.value("general.architecture") != "llama":
            raise ValueError(f"{path} holds a {self.value('general.architecture')!r} model; only llama can be read")

    def value(self, key: str, default: Any = None) -> Any:
        """Read one metadata value."""
        field = self._reader.fields.get(key)
        return default if field is None else field.contents()

    def model_config(self) -> ModelConfig:
        """Read the shape."""
        scaling = self.value("llama.rope.scaling.type", "none")
        if scaling != "none":
            raise ValueError(f"{self.path} scales its rotary positions ({scaling}); this product reads plain ones")
        names = {tensor.name for tensor in self._reader.tensors}
        heads, hidden = int(self.value("llama.attention.head_count")), int(self.value("llama.embedding_length"))
        return ModelConfig(
            architecture=Architecture.LLAMA,
            num_layers=int(self.value("llama.block_count")),
            hidden_size=hidden,
            ffn_hidden_size=int(self.value("llama.feed_forward_length")),
            num_attention_heads=heads,
            num_query_groups=int(self.value("llama.attention.head_count_kv", heads)),
            head_dim=int(self.value("llama.attention.key_length", hidden // heads)),
            vocab_size=len(self.value("tokenizer.ggml.tokens")),
            max_position_embeddings=int(self.value("llama.context_length")),
            rotary_base=float(self.value("llama.rope.freq_base", 10_000.0)),
            norm_epsilon=round(float(self.value("llama.attention.layer_norm_rms_epsilon")), 12),
            qkv_bias=False,
            tie_embeddings="output.weight" not in names,
        )

    def tensors(self) -> State:
        """Dequantise every tensor to FP32 under its Hugging Face name."""
        from gguf import dequantize

        heads = {"attn_q": int(self.value("llama.attention.head_count"))}
        heads["attn_k"] = int(self.value("llama.attention.head_count_kv", heads["attn_q"]))
        found: State = {}
        for tensor in self._reader.tensors:
            values = np.asarray(dequantize(tensor.data, tensor.tensor_type), np.float32)
            values = values.reshape([int(size) for size in tensor.shape][::-1])
            name = tensor.name.split(".")[-2]
            values = _unpair(values, heads[name]) if name in heads else values.copy()
            found[self._name(tensor.name)] = torch.from_numpy(values)
        return found

    def _name(self, name: str) -> str:
        parts = name.split(".")
        if len(parts) == 2 and parts[0] in _ENDS:
            return f"{_ENDS[parts[0]]}.{parts[1]}"
        if len(parts) == 4 and parts[0] == "blk" and parts[2] in _LAYER:
            return f"model.layers.{parts[1]}.{_LAYER[parts[2]]}.{parts[3]}"
        raise ValueError(f"{self.path} has a tensor {name!r}, which is none of a plain llama's; choose another base")

    def write_tokenizer(self, folder: Path) -> None:
        """Write the byte-level BPE inside as tokenizer.json and tokenizer_config.json."""
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

        if self.value("tokenizer.ggml.model") != "gpt2" or self.value("tokenizer.ggml.pre") not in _PRETOKENIZERS:
            raise ValueError(f"{self.path} has a tokenizer {self.value('tokenizer.ggml.pre')!r} that cannot be read")
        tokens, types = self.value("tokenizer.ggml.tokens"), self.value("tokenizer.ggml.token_type")
        merges = [tuple(merge.split(" ")) for merge in self.value("tokenizer.ggml.merges")]
        special = [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL]
        tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
        digits = Regex(_PRETOKENIZERS[self.value("tokenizer.ggml.pre")])
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(digits, behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(special)
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"))
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": self.value("llama.context_length")}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def _unpair(weight: Any, heads: int) -> Any:
    """Undo llama.cpp's order of the rows of one projection: pairs of neighbours back to two halves."""
    pairs = weight.shape[0] // heads // 2
    halves = weight.reshape(heads, pairs, 2, *weight.shape[1:]).swapaxes(1, 2)
    return np.ascontiguousarray(halves.reshape(weight.shape))
