"""The corpus stages against datatrove and Megatron's loop, as ratios of one run: `python benchmarks/corpus_path.py --peers PYTHON`.

Every line is one piece of work on the same files, the Python code installed on this machine as CollectCode reads it, from
Parquet to the files that the work is for. Both sides run on one core in processes of their own; a figure is CPU seconds a
gigabyte of text, of the process and all below it, start-up and imports included (they are the same work in a real run), and
the largest memory of one process. Only ratios within a run mean anything.

`--peers` is the interpreter of an environment made for it: `python3 -m venv X && X/bin/pip install
"datatrove[io,processing]==0.10.1"`. The peers are flattered where they can be: words by a regular expression instead of
spaCy, the hashes of the benchmarks made outside the clock, filters that are a few lines of Python. Their quality is not
compared here (benchmarks/duplicates.py, benchmarks/decontamination.py); GateSyntax and RedactSecrets have no part in datatrove
and stand on our side alone, below the sum.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NGRAM = 10


@dataclass(frozen=True)
class Work:
    """What one line measures: our functions and the peer's, in the order they run."""

    name: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...] = ()


WORKS = (
    Work("exact duplicates", ("exact",), ("exact_peer",)),
    Work("filters", ("filters",), ("filters_peer",)),
    Work("near duplicates", ("index", "near"), ("near_peer",)),
    Work("decontamination", ("decontaminate",), ("decontaminate_peer",)),
    Work("tokens to .bin/.idx", ("tokens",), ("tokens_peer",)),
)
ALONE = (Work("secrets", ("secrets",)), Work("syntax", ("syntax",)))
MEGATRON = Work("Megatron's loop for tokens", ("tokens",), ("tokens_megatron",))


@dataclass(frozen=True)
class Cost:
    """Of one or more processes."""

    seconds: float
    peak_bytes: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, max(self.peak_bytes, other.peak_bytes))


def main() -> None:
    """Collect, measure and print; or do one piece of work."""
    parser = argparse.ArgumentParser(description="The corpus stages against datatrove and Megatron's loop.")
    parser.add_argument("--peers", default=sys.executable, help="interpreter of an environment with datatrove")
    parser.add_argument("--megabytes", type=float, default=120.0, help="code to collect (default: 120)")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument(
        "--code", type=Path, help="folder of checkouts or archives to read instead (default: what is installed)"
    )
    parser.add_argument(
        "--tokenizer",
        type=Path,
        help="folder with a tokenizer.json, such as `python -m corpora.ranks` writes (default: that of the laptop base)",
    )
    parser.add_argument("--work", choices=("prepare", *FUNCTIONS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        if not options.work.endswith("_peer"):
            sys.path.insert(0, str(ROOT))
        if options.work == "prepare":
            prepare(options.folder, options)
        else:
            FUNCTIONS[options.work](options.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), options)


def compare(folder: Path, options: argparse.Namespace) -> None:
    """Print one line a piece of work, and the sum of those that both sides have."""
    given = [
        f"--{name}={value}"
        for name in ("megabytes", "shards", "code", "tokenizer")
        if (value := getattr(options, name))
    ]
    run("prepare", sys.executable, folder, *given)
    gigabytes = json.loads((folder / "bytes.json").read_text()) / 1e9
    for name in OURS:
        run(name, sys.executable, folder)  # compiles, and fills the caches of the file system
    asked = subprocess.run([options.peers, "-c", "import datatrove"], capture_output=True, check=False)
    has_peers = asked.returncode == 0
    if has_peers:
        run("hashes_peer", options.peers, folder)
    print(
        f"{gigabytes * 1e3:.1f} MB of UTF-8 in {options.shards} shards; CPU s/GB and peak MB of a process, start-up included"
    )
    print(f"{'work':<28}{'ours':>9}{'peak':>7}{'peer':>10}{'peak':>7}{'ratio':>8}")
    sums = [Cost(0, 0), Cost(0, 0)]
    for work in WORKS:
        ours, theirs = measure(work, folder, options.peers if has_peers else None)
        sums = [sums[0] + ours, sums[1] + (theirs or Cost(0, 0))]
        show(work.name, ours, theirs, gigabytes)
    show("sum", sums[0], sums[1] if has_peers else None, gigabytes)
    for work in ALONE:
        show(work.name, measure(work, folder, None)[0], None, gigabytes)
    show(MEGATRON.name, *measure(MEGATRON, folder, sys.executable), gigabytes)
    if not has_peers:
        print(f"datatrove is not installed for {options.peers}; see --help")


def show(name: str, ours: Cost, theirs: Cost | None, gigabytes: float) -> None:
    """Print one line."""
    peer = (
        f"{theirs.seconds / gigabytes:10.1f}{theirs.peak_bytes / 1e6:7.0f}{theirs.seconds / ours.seconds:7.1f}x"
        if theirs
        else ""
    )
    print(f"{name:<28}{ours.seconds / gigabytes:9.1f}{ours.peak_bytes / 1e6:7.0f}{peer}", flush=True)


def measure(work: Work, folder: Path, peers: str | None) -> tuple[Cost, Cost | None]:
    """Run both sides of a piece of work."""
    ours = [run(name, sys.executable, folder) for name in work.ours]
    theirs = [run(name, peers, folder) for name in work.theirs] if peers else []
    return sum(ours, Cost(0, 0)), sum(theirs, Cost(0, 0)) if theirs else None


def run(name: str, python: str, folder: Path, *options: str) -> Cost:
    """Do one piece of work in a process of its own; ours stays small, whose memory would count as the child's."""
    threads = dict.fromkeys(("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
    with (folder / f"{name}.log").open("wb") as log:
        command = [python, str(Path(__file__).resolve()), "--work", name, "--folder", str(folder), *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} failed:\n{(folder / f'{name}.log').read_text()[-2000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def prepare(folder: Path, options: argparse.Namespace) -> None:
    """Collect the code, write the tokenizer, the parts of the benchmarks and the bytes of text."""
    from corpora import benchmarks
    from corpora.code.languages import BLEND
    from corpora.collect import CollectCodeConfig, Sources, collect_code
    from corpora.decontaminate import DecontaminateConfig
    from corpora.engine import Engine

    budget = int(options.megabytes * 1e6)
    shape: dict[str, Any] = {
        "budget_bytes": budget,
        "max_repository_bytes": max(budget // 8, 1),
        "num_shards": options.shards,
    }
    if options.code:
        config = CollectCodeConfig(kinds=("folders",), languages=BLEND, **shape)
        sources = Sources(folders=(("code", str(options.code.resolve())),))
    else:
        config, sources = CollectCodeConfig(kinds=("installed",), **shape), Sources()
    counts = collect_code(folder / "documents", config=config, sources=sources, engine=Engine())
    if options.tokenizer:
        shutil.copytree(options.tokenizer, folder / "base" / "tokenizer")
    else:
        tokenizer_folder(folder)
    parts = [
        text
        for name in DecontaminateConfig().benchmarks
        for problem in benchmarks.load(*name.split(":"))
        for text in (problem.prompt, problem.solution)
        if text
    ]
    (folder / "benchmarks.json").write_text(json.dumps(parts))
    (folder / "bytes.json").write_text(json.dumps(counts["bytes"]))


def tokenizer_folder(folder: Path) -> None:
    """Write the laptop base's tokenizer."""
    from benchmarks.corpus import tokenizer_folder as write

    write(folder / "base")


# Ours: the stage functions, as `pipelines.execute` calls them.


OURS = {
    "exact": ("corpora.dedup:drop_exact_duplicates", None),
    "filters": ("corpora.code.filter:filter_code", "corpora.code.filter:FilterConfig"),
    "index": ("corpora.dedup:index_duplicates", "corpora.dedup:UnitConfig"),
    "near": ("corpora.dedup:drop_near_duplicates", "corpora.dedup:NearDuplicatesConfig"),
    "decontaminate": ("corpora.decontaminate:decontaminate_corpus", "corpora.decontaminate:DecontaminateConfig"),
    "tokens": ("corpora.tokenize:tokenize", "corpora.layout:TokenizeConfig"),
    "secrets": ("corpora.code.secrets:redact_secrets", "corpora.code.secrets:SecretsConfig"),
    "syntax": ("corpora.code.syntax:gate_syntax", "corpora.code.syntax:SyntaxConfig"),
}
"""Stage function, and the config whose defaults it gets; they read the collected documents."""
INPUTS = {"near": "index", "tokens": "base"}
"""Folder that a stage reads besides, by the name of its parameter."""


def ours(name: str) -> Callable[[Path], None]:
    """Give a stage function in its process, its output made anew."""
    reference, config = OURS[name]

    def work(folder: Path) -> None:
        from corpora.engine import Engine

        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
        given: dict[str, Any] = {"documents": folder / "documents"}
        if config:
            given["config"] = resolve(config)()
        if extra := INPUTS.get(name):
            given[extra] = folder / extra
        resolve(reference)(folder / name, engine=Engine(), **given)

    return work


def resolve(reference: str) -> Any:
    """Import `package.module:name`."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


# datatrove: one task, in this process.


def pipeline(folder: Path, name: str, *steps: Any) -> None:
    """Run steps on the collected documents or, without a reader, on what they themselves read."""
    executor = importlib.import_module("datatrove.executor").LocalPipelineExecutor
    executor(list(steps), tasks=1, logging_dir=str(folder / "logs" / name), skip_completed=False).run()


def reader(folder: Path) -> Any:
    """Read text and id of the collected documents; of more, its writer makes a schema that the next batch may break."""
    parquet = importlib.import_module("datatrove.pipeline.readers").ParquetReader
    return parquet(str(folder / "documents" / "kept"), text_key="text", id_key="id", read_metadata=False)


def writer(folder: Path, name: str) -> Any:
    """Write Parquet."""
    return importlib.import_module("datatrove.pipeline.writers").ParquetWriter(str(folder / name))


def words_by_regex(*modules: str) -> None:
    """Let datatrove cut words by a regular expression: spaCy takes many times as long."""
    import re

    cut = re.compile(r"\w+|[^\w\s]").findall
    tokenizer = type("Words", (), {"word_tokenize": staticmethod(cut)})
    for module in modules:
        importlib.import_module(module).load_word_tokenizer = lambda _language: tokenizer  # type: ignore[attr-defined]


def exact_peer(folder: Path) -> None:
    """Remove exact duplicates: signatures, duplicates, filter."""
    exact = importlib.import_module("datatrove.pipeline.dedup.exact_dedup")
    settings = exact.ExactDedupConfig(content_getter=lambda document: document.text)
    signatures, found = str(folder / "exact_signatures"), str(folder / "exact_found")
    pipeline(folder, "exact1", reader(folder), exact.ExactDedupSignature(signatures, settings))
    pipeline(folder, "exact2", exact.ExactFindDedups(signatures, found, settings))
    pipeline(folder, "exact3", reader(folder), exact.ExactDedupFilter(found, settings), writer(folder, "exact_peer"))


def filters_peer(folder: Path) -> None:
    """Filter by StarCoder2's bounds on lines and letters, and by the usual markers of generated files."""
    filters = importlib.import_module("datatrove.pipeline.filters")

    def keep(document: Any) -> bool:
        lines = document.text.splitlines() or [""]
        longest = max(map(len, lines))
        letters = sum(map(str.isalpha, document.text)) / max(1, len(document.text))
        head = "\n".join(lines[:5]).lower()
        generated = any(mark in head for mark in ("auto-generated", "autogenerated", "automatically generated"))
        mean = len(document.text) / len(lines)
        return len(lines) <= 100_000 and longest <= 1000 and mean <= 100 and letters >= 0.25 and not generated

    pipeline(folder, "filters", reader(folder), filters.LambdaFilter(keep), writer(folder, "filters_peer"))


def near_peer(folder: Path) -> None:
    """Remove near duplicates by MinHash of the same shape as ours: 5 words, 32 bands of 8."""
    minhash = importlib.import_module("datatrove.pipeline.dedup.minhash")
    words_by_regex("datatrove.pipeline.dedup.minhash")
    settings = minhash.MinhashConfig(n_grams=5, num_buckets=32, hashes_per_bucket=8)
    signatures, buckets, remove = (str(folder / f"near_{name}") for name in ("signatures", "buckets", "remove"))
    pipeline(folder, "near1", reader(folder), minhash.MinhashDedupSignature(signatures, settings))
    executor = importlib.import_module("datatrove.executor").LocalPipelineExecutor
    step = minhash.MinhashDedupBuckets(signatures, buckets, config=settings)
    executor([step], tasks=32, workers=1, logging_dir=str(folder / "logs" / "near2"), skip_completed=False).run()
    pipeline(folder, "near3", minhash.MinhashDedupCluster(buckets, remove, config=settings))
    pipeline(folder, "near4", reader(folder), minhash.MinhashDedupFilter(remove), writer(folder, "near_peer"))


def hashes_peer(folder: Path) -> None:
    """Hash the runs of the benchmarks' words as its indexer does, which wants a package of tasks: outside the clock."""
    import numpy as np

    grams = importlib.import_module("datatrove.pipeline.decont.n_grams")
    text = importlib.import_module("datatrove.utils.text")
    words_by_regex("datatrove.pipeline.decont.n_grams")
    settings = grams.NGramsDecontConfig(n_grams=NGRAM)
    hash_of, cut = grams.create_hash_func(settings.hash_config), grams.load_word_tokenizer(None).word_tokenize
    found = {
        hash_of(" ".join(gram))
        for part in json.loads((folder / "benchmarks.json").read_text())
        for gram in grams.ngrams(cut(text.simplify_text(part, settings.norm_config)), NGRAM)
    }
    (folder / "decontaminate_index").mkdir()
    np.array(sorted(found), settings.hash_config.np_descr).tofile(folder / "decontaminate_index" / "all.index.hashes")


def decontaminate_peer(folder: Path) -> None:
    """Drop what holds a run of the benchmarks' words."""
    grams = importlib.import_module("datatrove.pipeline.decont.n_grams")
    words_by_regex("datatrove.pipeline.decont.n_grams")
    settings = grams.NGramsDecontConfig(n_grams=NGRAM)
    step = grams.NGramsDecontFilter(str(folder / "decontaminate_index"), settings)
    pipeline(folder, "decontaminate", reader(folder), step, writer(folder, "decontaminate_peer"))


def tokens_peer(folder: Path) -> None:
    """Encode to Megatron's files."""
    tokens = importlib.import_module("datatrove.pipeline.tokens.megatron_tokenizer")
    step = tokens.MegatronDocumentTokenizer(
        str(folder / "tokens_peer"),
        save_filename="code",
        tokenizer_name_or_path=str(folder / "base" / "tokenizer" / "tokenizer.json"),
    )
    pipeline(folder, "tokens", reader(folder), step)


def tokens_megatron(folder: Path) -> None:
    """Encode as Megatron's tools/preprocess_data.py does: a document at a time, one builder."""
    import numpy as np
    import pyarrow.parquet as pq
    from tokenizers import Tokenizer

    builder = importlib.import_module("megatron.core.datasets.indexed_dataset").IndexedDatasetBuilder
    tokenizer = Tokenizer.from_file(str(folder / "base" / "tokenizer" / "tokenizer.json"))
    end, file = tokenizer.token_to_id("<|endoftext|>"), builder(str(folder / "megatron.bin"), np.int32)
    for path in sorted((folder / "documents" / "kept").iterdir()):
        for text in pq.read_table(path, columns=["text"])["text"].to_pylist():
            ids = [*tokenizer.encode(text, add_special_tokens=False).ids, end]
            file.add_document(ids, [len(ids)])
    file.finalize(str(folder / "megatron.idx"))


FUNCTIONS: dict[str, Callable[[Path], None]] = {
    **{name: ours(name) for name in OURS},
    "hashes_peer": hashes_peer,
    "exact_peer": exact_peer,
    "filters_peer": filters_peer,
    "near_peer": near_peer,
    "decontaminate_peer": decontaminate_peer,
    "tokens_peer": tokens_peer,
    "tokens_megatron": tokens_megatron,
}


if __name__ == "__main__":
    main()
