"""A GGUF file of the original Qwen, Qwen2, Qwen3 or the Llama family: shape, tensors in FP32 and tokenizer.

Names stay GGUF's (the table of `names` has them); a tensor is dequantised when it is looked up. For Llama, llama.cpp
stores the rows of q and k in pairs for its rotary layout; they are put back. Reading is all there is. Source: the GGUF
specification; the permutation is that of llama.cpp's converter, and so is that `qwen` counts both halves of the FFN.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from corpora.tokenizer import SPLIT_PATTERN
from specialize.config import Architecture, ModelConfig
from specialize.tensors import Lazy, State

_CONTROL, _UNUSED = 3, 5
"""Types of tokens in GGUF: control tokens; rows of the embedding that no token has."""
_BIASED = (Architecture.QWEN, Architecture.QWEN2)
_PAIRED = {"attn_q": "head_count", "attn_k": "head_count_kv"}
"""What llama.cpp reorders in a llama, and how many heads it has."""
_PRETOKENIZERS = {"smollm": (r"\p{N}", True), "qwen2": (SPLIT_PATTERN, False)}
"""Pre-tokenizers of GGUF by name: what is split apart first, and whether GPT-2's pattern follows."""


class GgufFile:
    """An open GGUF file."""

    def __init__(self, path: Path) -> None:
        from gguf import GGUFReader

        self.path = path
        try:
            self._reader = GGUFReader(str(path))
        except (ValueError, OSError, IndexError) as error:
            raise ValueError(f"{path} is not a whole GGUF file ({error}); get it again") from None
        found = self.value("general.architecture")
        if found not in [kind.value for kind in Architecture]:
            known = ", ".join(kind.value for kind in Architecture)
            raise ValueError(f"{path} holds a {found!r} model; this product reads {known}")
        if int(self.value("split.count", 1)) > 1:
            raise ValueError(
                f"{path} is one of several files; join them with llama-gguf-split --merge and name the result"
            )
        self.architecture = Architecture(found)
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}

    def value(self, key: str, default: Any = None) -> Any:
        """Read one metadata value."""
        field = self._reader.fields.get(key)
        return default if field is None else field.contents()

    def _of(self, key: str, default: Any = None) -> Any:
        """Read one value of the architecture."""
        found = self.value(f"{self.architecture.value}.{key}", default)
        if found is None:
            raise ValueError(f"{self.path} has no {self.architecture.value}.{key}; convert the model again")
        return found

    def model_config(self) -> ModelConfig:
        """Read the shape."""
        scaling = self._of("rope.scaling.type", "none")
        if scaling != "none" or "rope_freqs.weight" in self._tensors:
            how = scaling if scaling != "none" else "llama3"
            raise ValueError(f"{self.path} scales its rotary positions ({how}); this product reads plain ones")
        heads, hidden = int(self._of("attention.head_count")), int(self._of("embedding_length"))
        halves = 2 if self.architecture is Architecture.QWEN else 1
        return ModelConfig(
            architecture=self.architecture,
            num_layers=int(self._of("block_count")),
            hidden_size=hidden,
            ffn_hidden_size=int(self._of("feed_forward_length")) // halves,
            num_attention_heads=heads,
            num_query_groups=int(self._of("attention.head_count_kv", heads)),
            head_dim=int(self._of("attention.key_length", hidden // heads)),
            vocab_size=int(self._tensors["token_embd.weight"].shape[1]),
            max_position_embeddings=int(self._of("context_length")),
            rotary_base=float(self._of("rope.freq_base", 10_000.0)),
            norm_epsilon=round(float(self._of("attention.layer_norm_rms_epsilon")), 12),
            qkv_bias=self.architecture in _BIASED,
            tie_embeddings="output.weight" not in self._tensors,
        )

    def tensors(self) -> State:
        """Give every tensor under its GGUF name, dequantised to FP32 at its look-up, with rows of q and k in order."""
        heads = {}
        if self.architecture is Architecture.LLAMA:
            whole = self._of("attention.head_count")
            heads = {name: int(self._of(f"attention.{key}", whole)) for name, key in _PAIRED.items()}

        def reading(name: str) -> Callable[[], torch.Tensor]:
            return lambda: self._dequantized(name, heads.get(name.split(".")[-2]))

        return Lazy({name: reading(name) for name in self._tensors})

    def _dequantized(self, name: str, heads: int | None) -> torch.Tensor:
        from gguf import dequantize

        tensor = self._tensors[name]
        values = np.asarray(dequantize(tensor.data, tensor.tensor_type), np.float32)
        values = values.reshape([int(size) for size in tensor.shape][::-1])
        return torch.from_numpy(_unpair(values, heads) if heads else values.copy())

    def write_tokenizer(self, folder: Path) -> None:
        """Write the byte-level BPE inside as tokenizer.json and tokenizer_config.json."""
        from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

        kind = self.value("tokenizer.ggml.pre")
        if self.value("tokenizer.ggml.model") != "gpt2" or kind not in _PRETOKENIZERS:
            raise ValueError(
                f"{self.path} has a tokenizer {kind!r} that cannot be read; take the safetensors of the base"
            )
        tokens, types = self.value("tokenizer.ggml.tokens"), self.value("tokenizer.ggml.token_type")
        merges = [tuple(merge.split(" ")) for merge in self.value("tokenizer.ggml.merges")]
        special = [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL]
        vocab = {token: index for index, token in enumerate(tokens) if types[index] != _UNUSED}
        tokenizer = Tokenizer(models.BPE(vocab, merges))
        pattern, gpt2 = _PRETOKENIZERS[kind]
        if not gpt2:
            tokenizer.normalizer = normalizers.NFC()
        split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
        bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=gpt2)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_])
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(special)
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"))
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": self._of("context_length")}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def _unpair(weight: Any, heads: int) -> Any:
    """Undo llama.cpp's order of the rows of one projection: pairs of neighbours back to two halves."""
    pairs = weight.shape[0] // heads // 2
    halves = weight.reshape(heads, pairs, 2, *weight.shape[1:]).swapaxes(1, 2)
    return np.ascontiguousarray(halves.reshape(weight.shape))
