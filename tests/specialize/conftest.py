"""A random tiny base, tiny token files and packs; everything in FP32 on the CPU."""

import json
from pathlib import Path

import numpy as np
import pytest

from corpora.indexed import IndexedWriter
from specialize.config import ModelConfig, ParallelConfig

MODEL = ModelConfig(
    num_layers=2,
    hidden_size=32,
    ffn_hidden_size=64,
    num_attention_heads=4,
    num_query_groups=2,
    head_dim=8,
    vocab_size=128,
    max_position_embeddings=64,
    tie_embeddings=True,
)


def write_tokens(folder: Path, name: str, *, documents: int, seed: int) -> None:
    """Write documents of one to three counting sequences, as a tokenize stage would."""
    random = np.random.default_rng(seed)
    writer = IndexedWriter(folder / name, np.uint16)
    tokens = 0
    for _ in range(documents):
        lengths = random.integers(5, 60, random.integers(1, 4)).tolist()
        parts = [(random.integers(0, 100) + np.arange(length)) % 120 for length in lengths]
        writer.add_document(np.concatenate(parts), lengths)
        tokens += sum(lengths)
    writer.close()
    described = {"domain": "code", "language": "Python", "split": "train"}
    row = {"name": name, **described, "documents": documents, "tokens": tokens}
    (folder / "index.json").write_text(json.dumps({"prefixes": [row]}))


def write_packs(folder: Path, *, packs: int, seed: int, seq_length: int = 64) -> None:
    """Write packs of one to four conversations, the second half of each learned."""
    random = np.random.default_rng(seed)
    tokens, mask = IndexedWriter(folder / "packs", np.int32), IndexedWriter(folder / "mask", np.uint8)
    for _ in range(packs):
        lengths = random.integers(6, 16, random.integers(1, 5)).tolist()
        tokens.add_document(random.integers(0, 120, sum(lengths)), lengths)
        mask.add_document(np.concatenate([np.arange(length) >= length // 2 for length in lengths]), lengths)
    tokens.close()
    mask.close()
    (folder / "index.json").write_text(json.dumps({"packs": packs, "seq_length": seq_length}))


@pytest.fixture(scope="session")
def process():
    """One process group for every test of this process: a single rank."""
    from specialize.device import init_process

    return init_process(ParallelConfig())


@pytest.fixture(scope="session")
def base(tmp_path_factory, process):
    """A folder with the random tiny model."""
    from specialize.checkpoint import save_weights
    from specialize.device import seed_everything
    from specialize.model import build_model

    folder = tmp_path_factory.mktemp("base")
    seed_everything(7)
    save_weights(folder, build_model(MODEL))
    MODEL.save(folder)
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "tokenizer.json").write_text("{}")
    return folder


@pytest.fixture(scope="session")
def code(tmp_path_factory):
    """Tokens of the code domain."""
    folder = tmp_path_factory.mktemp("code")
    write_tokens(folder, "code_python_train", documents=100, seed=1)
    return folder


@pytest.fixture(scope="session")
def text(tmp_path_factory):
    """Tokens of the replay text."""
    folder = tmp_path_factory.mktemp("text")
    write_tokens(folder, "text_english_train", documents=40, seed=2)
    return folder


@pytest.fixture(scope="session")
def packs(tmp_path_factory):
    """Packs of conversations."""
    folder = tmp_path_factory.mktemp("packs")
    write_packs(folder, packs=60, seed=3)
    return folder
