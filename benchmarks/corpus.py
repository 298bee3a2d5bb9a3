"""Our corpus kernels against named peers, as ratios of one run: `python benchmarks/corpus.py`.

The input is Python code installed on this machine, as CollectCode reads it. Both sides get the same documents in memory and
do the same work on one thread; loading, indexing the benchmarks and compiling are not timed. A figure is megabytes of text
a CPU second (`time.process_time`, all threads), best of three, so a busy machine changes the ratios little. Where both
sides have the same answer to give, it is compared: token files byte for byte, contaminated documents one by one.
A peer that is not installed is named and left out; the group `bench` of pyproject.toml has what is not needed otherwise.
"""

from __future__ import annotations

import argparse
import filecmp
import importlib
import importlib.util
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for _threads in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

REPEATS = 3
NGRAM = 10


@dataclass(frozen=True)
class Row:
    """One line of the table; `theirs` is None when the peer is not installed."""

    work: str
    peer: str
    ours: float
    theirs: float | None
    note: str


def main() -> None:
    """Collect, measure and print."""
    parser = argparse.ArgumentParser(description="Corpus kernels against named peers, as ratios of one run.")
    parser.add_argument("--megabytes", type=float, default=20.0, help="code to collect (default: 20)")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        table = collect(out, int(parser.parse_args().megabytes * 1e6))
        size = sum(len(text.encode()) for text in table["text"].to_pylist())
        print(f"{len(table):,} files, {size / 1e6:.1f} MB of UTF-8; MB of text a CPU second, best of {REPEATS}")
        print(f"{'work':<24}{'ours':>8}  {'peer':<42}{'peer':>8}{'ratio':>9}  compared")
        for measure in (minhash, tokens, decontamination):
            row = measure(table, size / 1e6, out)
            theirs = f"{row.theirs:8.2f}{row.ours / row.theirs:8.1f}x" if row.theirs else f"{'not installed':>17}"
            print(f"{row.work:<24}{row.ours:8.1f}  {row.peer:<42}{theirs}  {row.note}", flush=True)


def collect(out: Path, budget: int) -> Any:
    """Collect installed Python files into one shard and read it."""
    from corpora import records, shards
    from corpora.collect import CollectCodeConfig, Sources, collect_code
    from corpora.engine import Engine

    config = CollectCodeConfig(
        kinds=("installed",), budget_bytes=budget, max_repository_bytes=max(budget // 8, 1), num_shards=1
    )
    collect_code(out, config=config, sources=Sources(), engine=Engine())
    return shards.read(out / "kept" / shards.shard_name(0, 1), records.DOCUMENT)


def rate(megabytes: float, work: Callable[[Any], object], prepare: Callable[[], Any] = lambda: None) -> float:
    """Give megabytes a CPU second of `work`, best of `REPEATS`; what it works with is prepared anew and not timed."""
    seconds = []
    for _ in range(REPEATS):
        given = prepare()
        start = time.process_time()
        work(given)
        seconds.append(time.process_time() - start)
    return megabytes / min(seconds)


def installed(module: str) -> Any | None:
    """Import a peer, or give None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Megatron names everything optional that it misses
        try:
            return importlib.import_module(module)
        except ImportError:
            return None


def minhash(table: Any, megabytes: float, _out: Path) -> Row:
    """Measure signatures of 256 permutations over shingles of 5 words, words cut included."""
    from corpora import minhash as ours
    from corpora.ngrams import words

    texts = table["text"]
    ours.sketch(texts.slice(0, 1))  # compiles
    peer = installed("datasketch")

    def shingles(text: str) -> list[bytes]:
        found = words(text.encode())
        size = min(ours.SHINGLE_WORDS, len(found))
        return list({b" ".join(found[i : i + size]) for i in range(len(found) - size + 1)}) if found else []

    def theirs(documents: Sequence[str]) -> None:
        assert peer is not None
        for signature in peer.MinHash.generator(map(shingles, documents), num_perm=ours.PERMUTATIONS):
            signature.digest()

    return Row(
        "MinHash signatures",
        "datasketch, MinHash.generator",
        rate(megabytes, lambda _: ours.sketch(texts)),
        rate(megabytes, theirs, texts.to_pylist) if peer else None,
        "no: another hash",
    )


def tokens(table: Any, megabytes: float, out: Path) -> Row:
    """Measure text to `.bin/.idx` with the laptop base's tokenizer, an end of document after each file."""
    from corpora.layout import TokenizeConfig
    from corpora.tokenize import write_tokens
    from corpora.tokenizer import Tokenizer

    folder = tokenizer_folder(out)
    alone = {"part": None, "fim": None}
    rows, config = [row | alone for row in table.select(["text"]).to_pylist()], TokenizeConfig()
    texts = [row["text"] for row in rows]
    builder = installed("megatron.core.datasets.indexed_dataset")

    def theirs(tokenizer: Any) -> None:
        import numpy as np

        assert builder is not None
        end, file = tokenizer.token_to_id("<|endoftext|>"), builder.IndexedDatasetBuilder(f"{out}/theirs.bin", np.int32)
        for encoding in encode(tokenizer, texts):
            ids = [*encoding.ids, end]
            file.add_document(ids, [len(ids)])
        file.finalize(f"{out}/theirs.idx")

    def load() -> Any:
        from tokenizers import Tokenizer as Peer

        tokenizer = Peer.from_file(str(folder / "tokenizer.json"))
        tokenizer.encode_special_tokens = True
        return tokenizer

    our_rate = rate(
        megabytes,
        lambda tokenizer: write_tokens(out / "ours", rows, tokenizer, {}, config),
        lambda: Tokenizer.load(folder),
    )
    their_rate = rate(megabytes, theirs, load) if builder else None
    same = builder and all(
        filecmp.cmp(out / f"ours{end}", out / f"theirs{end}", shallow=False) for end in (".bin", ".idx")
    )
    note = "" if not builder else "same bytes" if same else "DIFFERENT BYTES"
    return Row("tokens to .bin/.idx", "tokenizers + Megatron IndexedDatasetBuilder", our_rate, their_rate, note)


def encode(tokenizer: Any, texts: Sequence[str]) -> Iterator[Any]:
    """Encode in batches of 256, as ours does."""
    for start in range(0, len(texts), 256):
        yield from tokenizer.encode_batch_fast(list(texts[start : start + 256]), add_special_tokens=False)


def tokenizer_folder(out: Path) -> Path:
    """Write the tokenizer of the laptop base, or train one of 4,096 ids where the base is not installed."""
    from corpora.tokenizer import TrainTokenizerConfig, train_tokenizer
    from pipelines.recipes.bases import SMOLLM2

    base = importlib.util.find_spec(SMOLLM2.package or "")
    if base is None or base.origin is None:
        train_tokenizer(out, documents=out, config=TrainTokenizerConfig())
    else:
        from specialize.gguf import GgufFile

        GgufFile(Path(base.origin).with_name(SMOLLM2.file)).write_tokenizer(out / "tokenizer")
    return out / "tokenizer"


def decontamination(table: Any, megabytes: float, _out: Path) -> Row:
    """Measure a scan for all shipped benchmarks: ours by all its rules, the set for runs of ten words only."""
    from corpora.benchmarks.files import BenchmarkFiles
    from corpora.decontaminate import DecontaminateConfig, Pass, index_of
    from corpora.ngrams import NGRAM as RULE
    from corpora.ngrams import words

    texts, (index, _) = table["text"], index_of(Pass("documents", DecontaminateConfig(ngram=NGRAM), BenchmarkFiles()))
    list(index.hits(texts.slice(0, 1)))  # compiles
    ours: set[int] = set()
    theirs: set[int] = set()
    runs = {b" ".join(words(index.text(gram).encode())) for gram in range(len(index)) if index.rule(gram) == RULE}

    def scan(_: object) -> None:
        ours.update(hit.text for hit in index.hits(texts) if index.rule(hit.gram) == RULE)

    def look_up(documents: Sequence[str]) -> None:
        for number, text in enumerate(documents):
            found = words(text.encode())
            if any(b" ".join(found[i : i + NGRAM]) in runs for i in range(len(found) - NGRAM + 1)):
                theirs.add(number)

    our_rate = rate(megabytes, scan)
    their_rate = rate(megabytes, look_up, texts.to_pylist)
    note = f"same {len(ours)} files" if ours == theirs else f"DIFFERENT FILES: {len(ours ^ theirs)}"
    return Row("decontamination scan", "Python set of 10-grams", our_rate, their_rate, note)


if __name__ == "__main__":
    main()
