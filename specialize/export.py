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

if TYPE_CHECKING:
    from specialize.convert import State

DTYPES = ("bfloat16", "float32")
_SHARD_BYTES = 5_000_000_000
_MODEL_FILES = ("config.json", "generation_config.json", "README.md")


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
    """Write the weights of a training output as `out/hf`."""
    from specialize.convert import to_hugging_face

    shape = ModelConfig.load(model)
    state = to_hugging_face(megatron_state(model, shape), shape)
    write_folder(out / "hf", state, shape, tokenizer=model / "tokenizer", dtype=config.dtype, chat=config.chat)
    (out / "hf" / "README.md").write_text(_card(config))
    return {"parameters": sum(tensor.numel() for tensor in state.values()), "dtype": config.dtype}


def megatron_state(folder: Path, shape: ModelConfig) -> State:
    """Read the weights of a model folder on one rank, FP32 or as they were trained."""
    from specialize.checkpoint import load_weights
    from specialize.config import ParallelConfig
    from specialize.convert import model_state
    from specialize.device import init_process
    from specialize.model import build_model

    init_process(ParallelConfig())
    model = build_model(shape)
    load_weights(folder, model)
    return model_state(model)


def write_folder(folder: Path, state: State, shape: ModelConfig, *, tokenizer: Path, dtype: str, chat: bool) -> None:
    """Write a whole Hugging Face folder."""
    import torch

    from corpora.tokenizer import END_OF_TEXT, Tokenizer
    from specialize.convert import hugging_face_config

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ids = Tokenizer.load(tokenizer)
    eod = ids.token_id(END_OF_TEXT)
    stops = [ids.token_id("<|im_end|>"), eod] if chat else [eod]
    _write_json(folder / "config.json", hugging_face_config(shape, dtype=dtype, eos=stops[0], pad=eod))
    generation = {"eos_token_id": stops, "pad_token_id": eod, "bos_token_id": None, "do_sample": False}
    _write_json(folder / "generation_config.json", generation)
    kind = getattr(torch, dtype)
    _write_weights(folder, {name: tensor.detach().to(kind).contiguous() for name, tensor in sorted(state.items())})
    _write_tokenizer(folder, tokenizer, chat=chat)


def _write_weights(folder: Path, state: State) -> None:
    from safetensors.torch import save_file

    groups: list[State] = [{}]
    size = 0
    for name, tensor in state.items():
        if groups[-1] and size + tensor.nbytes > _SHARD_BYTES:
            groups.append({})
            size = 0
        groups[-1][name] = tensor
        size += tensor.nbytes
    if len(groups) == 1:
        save_file(groups[0], str(folder / "model.safetensors"), metadata={"format": "pt"})
        return
    names = [f"model-{index:05d}-of-{len(groups):05d}.safetensors" for index in range(1, len(groups) + 1)]
    for name, group in zip(names, groups, strict=True):
        save_file(group, str(folder / name), metadata={"format": "pt"})
    places = {tensor: name for name, group in zip(names, groups, strict=True) for tensor in group}
    total = sum(tensor.nbytes for tensor in state.values())
    _write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places})


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
    config.pop("auto_map", None)
    config.setdefault("tokenizer_class", "PreTrainedTokenizerFast")
    _write_json(given, config)
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    merges = content["model"]["merges"]
    lines = [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    _write_json(folder / "vocab.json", content["model"]["vocab"])


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _card(config: ExportConfig) -> str:
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
"""
