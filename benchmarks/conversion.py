"""Memory of a conversion against the size of the model: `python -m benchmarks.conversion FOLDER`.

A checkpoint in the original Qwen's format, all zeros in a sparse file that takes no disk, is imported as a base and then
exported, each in a process of its own whose peak resident memory is read from the kernel. What is written takes disk:
twice the weights in BF16 while a size is measured. Memory is to follow the largest tensor, not the number of layers.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.recipes.bases import QWEN_1_8B, QWEN_1_8B_MODEL, QWEN_14B_MODEL
from specialize.config import ModelConfig

SHAPES = {
    "1.8B, 4 layers": replace(QWEN_1_8B_MODEL, num_layers=4),
    "1.8B, 16 layers": replace(QWEN_1_8B_MODEL, num_layers=16),
    "1.8B, 8 layers, 4,096 tokens": replace(QWEN_1_8B_MODEL, num_layers=8, vocab_size=4096),
    "1.8B, 32 layers, 4,096 tokens": replace(QWEN_1_8B_MODEL, num_layers=32, vocab_size=4096),
    "14B, 1 layer": replace(QWEN_14B_MODEL, num_layers=1),
}


def main() -> None:
    """Measure every shape."""
    parser = argparse.ArgumentParser(description="Measure the memory of conversions.")
    parser.add_argument("folder", type=Path, help="an empty folder with 8 GB of disk")
    folder = parser.parse_args().folder
    for name, shape in SHAPES.items():
        source = folder / "source"
        parameters = _write_source(source, shape)
        brought, seconds = _in_process(_import, source, folder / "base")
        shutil.rmtree(folder / "base" / "hf")
        sent, more = _in_process(_export, folder / "base", folder / "export")
        print(
            f"{name}: {parameters / 1e9:.2f}B parameters, import {brought:.2f} GB in {seconds:.0f} s, "
            f"export {sent:.2f} GB in {more:.0f} s",
            flush=True,
        )
        for made in (source, folder / "base", folder / "export"):
            shutil.rmtree(made)


def _write_source(folder: Path, shape: ModelConfig) -> int:
    """Write config, tokenizer and weights of zeros, of which the file system keeps only the header."""
    from corpora.tokenizer import SPECIAL_TOKENS
    from specialize.names import Dialect, count, shapes_of

    folder.mkdir(parents=True)
    header: dict[str, Any] = {}
    place = 0
    for name, size in shapes_of(shape, Dialect.QWEN).items():
        end = place + 2 * math.prod(size)
        header[name] = {"dtype": "BF16", "shape": size, "data_offsets": [place, end]}
        place = end
    content = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as stream:
        stream.write(len(content).to_bytes(8, "little") + content)
        stream.truncate(8 + len(content) + place)
    published = {
        "model_type": "qwen",
        "hidden_size": shape.hidden_size,
        "intermediate_size": 2 * shape.ffn_hidden_size,
        "num_hidden_layers": shape.num_layers,
        "num_attention_heads": shape.num_attention_heads,
        "kv_channels": shape.head_dim,
        "vocab_size": shape.vocab_size,
        "max_position_embeddings": shape.max_position_embeddings,
    }
    (folder / "config.json").write_text(json.dumps(published))
    _write_tokenizer(folder, SPECIAL_TOKENS)
    return count(shape)


def _write_tokenizer(folder: Path, special: tuple[str, ...]) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: index for index, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    tokenizer.save(str(folder / "tokenizer.json"))


def _in_process(work: Callable[[Path, Path], None], source: Path, out: Path) -> tuple[float, float]:
    """Run in a fresh process; give its peak in GB and its seconds."""
    out.mkdir()
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(work, source, out, sender))
    process.start()
    sender.close()
    peak, seconds = receiver.recv()
    process.join()
    return peak, seconds


def _measured(work: Callable[[Path, Path], None], source: Path, out: Path, sender: Any) -> None:
    clock = time.monotonic()
    work(source, out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    sender.send((peak, time.monotonic() - clock))


def _import(source: Path, out: Path) -> None:
    from specialize.base import Bases, import_base

    import_base(out, config=QWEN_1_8B, bases=Bases(folders=((QWEN_1_8B.name, str(source)),)))


def _export(source: Path, out: Path) -> None:
    from specialize.export import ExportConfig, export

    export(out, model=source, config=ExportConfig(name="x", chat=True, base="x", license="MIT"))


if __name__ == "__main__":
    main()
