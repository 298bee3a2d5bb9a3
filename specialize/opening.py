"""A checkpoint that somebody else wrote, opened: its shape, its tensors at look-up, its tokenizer in our layout.

A Hugging Face folder (safetensors; the original Qwen's names and vocabulary too) or a GGUF file. Nothing of the weights is
in memory after opening, and no file of code is looked at.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError
from specialize.config import Architecture, ModelConfig

if TYPE_CHECKING:
    import torch

    from specialize.names import Dialect
    from specialize.tensors import State

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")
RANKS = "qwen.tiktoken"
"""What the original Qwen has in the place of tokenizer.json."""
GGUF = ".gguf"
"""Ending of the files of llama.cpp."""


@dataclass(frozen=True)
class Source:
    """An opened checkpoint: nothing of its weights is in memory."""

    state: State
    shape: ModelConfig
    dialect: Dialect
    dtype: torch.dtype

    def megatron(self) -> State:
        """Give the tensors under Megatron's names."""
        from specialize.convert import to_megatron

        return to_megatron(self.state, self.shape, self.dialect)


def open_folder(folder: Path, tokenizer: Path) -> Source:
    """Open the safetensors of a Hugging Face folder, and copy or make its tokenizer."""
    from specialize.families import model_config
    from specialize.names import Dialect
    from specialize.tensors import SafetensorsFolder

    shape = model_config(_json(folder / "config.json"), str(folder / "config.json"))
    weights = SafetensorsFolder.open(folder)
    _take_tokenizer(folder, tokenizer)
    dialect = Dialect.QWEN if shape.architecture is Architecture.QWEN else Dialect.HUGGING_FACE
    return Source(weights.tensors(), shape, dialect, weights.dtype)


def open_gguf(path: Path, tokenizer: Path) -> Source:
    """Open a GGUF file and make its tokenizer."""
    import torch

    from specialize.gguf import GgufFile
    from specialize.names import Dialect

    file = GgufFile(path)
    shape = file.model_config()
    file.write_tokenizer(tokenizer)
    return Source(file.tensors(), shape, Dialect.GGUF, torch.float32)


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}); get it again") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not an object of settings; get it again")
    return content


def _take_tokenizer(folder: Path, target: Path) -> None:
    if (folder / "tokenizer.json").is_file():
        target.mkdir(parents=True)
        for name in _TOKENIZER_FILES:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, target / name)
        return
    if not (folder / RANKS).is_file():
        raise ValueError(
            f"{folder} has no tokenizer.json (nor {RANKS}, as the original Qwen has); save the base with its fast "
            "tokenizer and run again"
        )
    from corpora.ranks import read_ranks, write_tokenizer

    try:
        write_tokenizer(read_ranks(folder / RANKS), target)
    except SchemaError as error:
        raise ValueError(str(error)) from None
