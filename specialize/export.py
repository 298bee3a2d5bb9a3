"""A model as a Hugging Face folder: safetensors, config, tokenizer and card, read by transformers 4.57 and 5 alike.

The logits are Megatron's, to the rounding of the type written. Shards of 5 GB; every file is written whole. config.json and
tokenizer_config.json have the keys of both major versions of transformers, since a folder with those of 5 alone loads in 4.57
with a wrong rotary base and no warning.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.config import ModelConfig
from specialize.families import DROPPED

if TYPE_CHECKING:
    from specialize.tensors import State

DTYPES = ("bfloat16", "float32")
_MODEL_FILES = ("config.json", "generation_config.json", "README.md")
_NOT_IN_4 = ("auto_map", "extra_special_tokens", "backend", "is_local")
"""Keys of a base's tokenizer_config.json that name code of its repository, or that 4.57 takes for something else."""
_CLASSES = {
    None: "PreTrainedTokenizerFast",
    "TokenizersBackend": "PreTrainedTokenizerFast",  # of transformers 5; 4.57 does not know it
    "QWenTokenizer": "Qwen2Tokenizer",  # code of the original repository
}
"""Tokenizer classes that one of the two versions lacks, and what both have."""


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What is written."""

    name: str
    """Title of the card."""
    chat: bool
    """A chat model stops at the end of a turn too."""
    base: str
    """Name of the base, for the card."""
    license: str
    """SPDX name of the base's licence, which goes on to what is made from it."""
    dtype: str = "bfloat16"
    """QWEN report, 2.4: BF16; `tiny` writes float32 so that logits can be compared exactly."""

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ValueError(f"ExportConfig.dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")


def export(out: Path, *, model: Path, config: ExportConfig) -> dict[str, object]:
    """Write the weights of a training output as `out/hf`, a tensor at a time."""
    from specialize.config import ParallelConfig
    from specialize.convert import to_hugging_face
    from specialize.device import init_process
    from specialize.names import count
    from specialize.streaming import read_checkpoint

    shape = ModelConfig.load(model)
    init_process(ParallelConfig())
    state = to_hugging_face(read_checkpoint(model, shape), shape)
    write_folder(out / "hf", state, shape, tokenizer=model / "tokenizer", dtype=config.dtype, chat=config.chat)
    (out / "hf" / "README.md").write_text(_card(config, shape))
    return {"parameters": count(shape), "dtype": config.dtype}


def write_folder(folder: Path, state: State, shape: ModelConfig, *, tokenizer: Path, dtype: str, chat: bool) -> None:
    """Write a whole Hugging Face folder from tensors under Hugging Face names."""
    import torch

    from corpora.tokenizer import END_OF_TEXT, Tokenizer
    from specialize.families import hugging_face_config
    from specialize.names import shapes_of
    from specialize.tensors import write_safetensors

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ids = Tokenizer.load(tokenizer)
    eod = ids.token_id(END_OF_TEXT)
    stops = [ids.token_id("<|im_end|>"), eod] if chat else [eod]
    _write_json(folder / "config.json", hugging_face_config(shape, dtype=dtype, eos=stops[0], pad=eod))
    generation = {"eos_token_id": stops, "pad_token_id": eod, "bos_token_id": None, "do_sample": False}
    _write_json(folder / "generation_config.json", generation)
    write_safetensors(folder, state, shapes_of(shape), getattr(torch, dtype))
    _write_tokenizer(folder, tokenizer, chat=chat)


def _write_tokenizer(folder: Path, tokenizer: Path, *, chat: bool) -> None:
    """Copy the base's tokenizer; what stops, what pads and how a chat is laid out are ours."""
    from corpora.chat import CHAT_TEMPLATE, END
    from corpora.tokenizer import END_OF_TEXT

    for path in sorted(tokenizer.iterdir()):
        if path.is_file() and path.name not in _MODEL_FILES:
            shutil.copyfile(path, folder / path.name)
    given = folder / "tokenizer_config.json"
    config: dict[str, Any] = json.loads(given.read_text()) if given.exists() else {}
    content = json.loads((folder / "tokenizer.json").read_text())
    flags = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")
    special = [token for token in content["added_tokens"] if token["special"]]
    config |= {
        "added_tokens_decoder": {str(token["id"]): {flag: token[flag] for flag in flags} for token in special},
        "additional_special_tokens": [token["content"] for token in special],
        "bos_token": None,
        "eos_token": END if chat else END_OF_TEXT,
        "pad_token": END_OF_TEXT,
        "unk_token": None,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
    }
    for key in _NOT_IN_4:
        config.pop(key, None)
    given_class = config.get("tokenizer_class")
    config["tokenizer_class"] = _CLASSES.get(given_class, given_class)
    _write_json(given, config)
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    merges = content["model"]["merges"]
    lines = [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    _write_json(folder / "vocab.json", content["model"]["vocab"])


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _card(config: ExportConfig, shape: ModelConfig) -> str:
    tags = "\n".join(f"- {tag}" for tag in (["conversational"] if config.chat else []) + ["qwen-specialize"])
    how = "Chat with it in ChatML; it stops at `<|im_end|>`." if config.chat else "Continue text with it."
    return f"""---
license: {config.license.lower()}
base_model: {config.base}
library_name: transformers
pipeline_tag: text-generation
tags:
{tags}
---
# {config.name}

Made from {config.base} by the recipe of the QWEN report (arXiv 2309.16609). {how} Scores, data and lineage are in the
release that this folder belongs to.
{_limits(shape)}"""


def _limits(shape: ModelConfig) -> str:
    if shape.architecture not in DROPPED:
        return ""
    bound = f"Keep prompt and reply within {shape.max_position_embeddings:,} tokens."
    return f"\n## What this format leaves out\n\n{DROPPED[shape.architecture]} {bound}\n"
