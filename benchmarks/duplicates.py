"""Near deduplication: what 120 million files would take, how good it is, and datatrove: `python benchmarks/duplicates.py`.

`projection`: indexes of synthetic signatures, a fifth of them near copies of others, of several sizes; linked and elected in
a process of its own. Anonymous resident memory (RssAnon: what no memory-mapped file stands behind) is sampled, and a line
through the sizes gives bytes and CPU seconds a document. `quality`: real files with planted drifts (words renamed, blocks
deleted or inserted); truth is the Jaccard similarity of all pairs, counted from the shingles themselves by other code than
ours. `peer`: datatrove's four MinHash steps on the same files, each side in a process of its own, imports and compiling
outside the clock. `--peers` is the interpreter of an environment made for it: `python3 -m venv X && X/bin/pip install
datatrove[io,processing]==0.10.1`. Datatrove is flattered: words are cut by a regular expression instead of its language
tokenizer, and by default it hashes 14 x 8 permutations (its own) where ours hashes 32 x 8; the last row has 32 x 8 too.
"Which go" ends with the list of what is removed; writing what stays is in "files in, files out" of both.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.planted import TRUTH_FROM, all_pairs, drifts, read_texts  # noqa: E402
from benchmarks.synthetic import COPIES, cluster, synthesize  # noqa: E402

REPEATS = 3
FILES = 120_000_000
FILE_BYTES = 8500
"""Mean of a kept file."""
SIZES = (250_000, 500_000, 1_000_000, 2_000_000)


def main() -> None:
    """Measure and print, or be one of the processes."""
    parser = argparse.ArgumentParser(description="Near deduplication: projection, quality, and datatrove.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which parts (all)")
    parser.add_argument("--peers", default=sys.executable, help="interpreter of an environment with datatrove")
    parser.add_argument("--folder", type=Path, action="append", help="read these folders (the installed Python code)")
    parser.add_argument("--megabytes", type=float, default=20.0, help="real files read (20)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="documents of the projection")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, *arguments = options.child
        print(json.dumps(CHILDREN[name](*arguments)))
        return
    for part in options.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            PARTS[part](Path(folder), options)


def child(python: str, name: str, *arguments: object) -> Any:
    """Run a part in a process of its own; give its answer, or None where a module is missing."""
    command = [python, str(Path(__file__).resolve()), "--child", name, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        raise SystemExit(f"{name} exited with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def write_documents(folder: Path, texts: Sequence[str], num_shards: int = 4) -> None:
    """Write documents as a stage does, and as JSONL for the peer."""
    from corpora import records, shards

    fixed = {"split": "train", "source": "", "repository": ""}
    rows = [{"id": f"{number:032x}", "text": text, **fixed} for number, text in enumerate(texts)]
    for index in range(num_shards):
        shards.write(folder / "kept" / shards.shard_name(index, num_shards), rows[index::num_shards], records.DOCUMENT)
    (folder / "jsonl").mkdir(parents=True)
    with (folder / "jsonl" / "00000.jsonl").open("w") as stream:
        stream.writelines(json.dumps({"id": row["id"], "text": row["text"]}) + "\n" for row in rows)


# The projection.


def projection(folder: Path, options: argparse.Namespace) -> None:
    """Print the measured sizes, the line through them, and what it says of 120 million files."""
    import numpy as np

    print(f"\nSynthetic signatures, {COPIES:.0%} of them near copies; one process each; anonymous MB (B a document)")
    print(
        f"{'documents':>12} {'linking':>16} {'writing':>16} {'CPU s':>7} {'us/document':>12} {'index MB':>9}   removed"
    )
    rows = []
    for size in options.sizes:
        child(sys.executable, "synthesize", folder / "index", size)
        row = child(sys.executable, "cluster", folder / "index", folder / "out")
        rows.append((size, row["linking"], row["writing"], row["seconds"], row["disk"]))
        cells = [f"{row[key] / 1e6:8.1f} ({row[key] / size:5.1f})" for key in ("linking", "writing")]
        print(
            f"{size:12,} {cells[0]:>16} {cells[1]:>16} {row['seconds']:7.1f} {row['seconds'] / size * 1e6:12.2f} "
            f"{row['disk'] / 1e6:9.0f}   {row['removed']:,}"
        )
    sizes, linking, writing, seconds, disk = np.array(rows).T
    memory = {name: np.polyfit(sizes, column, 1) for name, column in {"linking": linking, "writing": writing}.items()}
    rate, total, largest = sketch_rate(folder, options), FILES * FILE_BYTES, sizes[-1]
    each, sorting = seconds[-1] / largest, np.log(FILES) / np.log(largest)
    lines = {
        name: f"{slope:.1f} B a document x {FILES:,} + {fixed / 1e6:.0f} MB = {(slope * FILES + fixed) / 1e9:.2f} GB of memory"
        for name, (slope, fixed) in memory.items()
    } | {
        "disk": f"{disk[-1] / largest:.0f} B a document x {FILES:,} = {disk[-1] / largest * FILES / 1e9:.0f} GB, memory-mapped",
        "signatures": f"{total / 1e9:,.0f} GB / {rate / 1e6:.0f} MB/s a core = {total / rate / 3600:.1f} core-hours with reading",
        "clusters": f"{each * 1e6:.2f} us a document x {sorting:.2f} (n log n) x {FILES:,}"
        f" = {FILES * each * sorting / 3600:.2f} core-hours on one machine",
    }
    print(f"\nProjected for {FILES / 1e6:.0f} million files of {FILE_BYTES:,} bytes ({total / 1e12:.2f} TB):")
    for name, line in lines.items():
        print(f"  {name:10} {line}")


def sketch_rate(folder: Path, options: argparse.Namespace) -> float:
    """Measure bytes of text a CPU second of IndexDuplicates on real files."""
    texts = list(read_texts(options.folder, options.megabytes))
    write_documents(folder / "documents", texts)
    row = child(sys.executable, "ours", folder / "documents", folder / "real")
    return float(sum(len(text.encode()) for text in texts) / row["index"])


# Quality.


def quality(folder: Path, options: argparse.Namespace) -> None:
    """Print recall and precision of the clusters on planted drifts."""
    import numpy as np
    import pyarrow.parquet as pq

    texts = list(read_texts(options.folder, options.megabytes))
    planted = list(drifts(texts))
    everything = texts + planted
    first, second, similar = all_pairs(everything)
    write_documents(folder / "documents", everything)
    child(sys.executable, "ours", folder / "documents", folder / "out")
    rows = pq.read_table(folder / "out" / "near" / "clusters.parquet").to_pylist()
    clusters, removed = np.arange(len(everything)), np.zeros(len(everything), np.bool_)
    for row in rows:
        clusters[int(row["id"], 16)] = int(row["cluster"], 16)
        removed[int(row["id"], 16)] = row["survivor"] != row["id"]
    same, partner = clusters[first] == clusters[second], np.zeros(len(everything), np.bool_)
    partner[first], partner[second] = True, True
    left = ~removed[first] & ~removed[second] & (similar >= 0.7)
    print(
        f"\n{len(texts):,} real files and {len(planted):,} drifts of them; {len(first):,} pairs with J >= {TRUTH_FROM}"
    )
    for low, high in ((0.7, 2), (0.85, 2), (0.7, 0.75), (0.75, 0.8), (0.8, 0.85)):
        band = (similar >= low) & (similar < high)
        name = f"J >= {low}" if high > 1 else f"{low} <= J < {high}"
        print(f"  pair recall, {name:18} {same[band].mean():.4f} of {band.sum():,} pairs")
    print(f"  removal precision, J >= 0.6    {partner[removed].mean():.4f} of {removed.sum():,} removed")
    print(f"  kept with a kept J >= 0.7      {len(set(first[left].tolist()) | set(second[left].tolist())):,} documents")
    print(f"  largest cluster                {np.bincount(clusters).max():,}")


# The peer.


def peer(folder: Path, options: argparse.Namespace) -> None:
    """Print CPU seconds a gigabyte of both."""
    texts = list(read_texts(options.folder, options.megabytes))
    texts += drifts(texts)
    size = sum(len(text.encode()) for text in texts)
    write_documents(folder / "documents", texts)
    mine = child(sys.executable, "ours", folder / "documents", folder / "ours")
    print(
        f"\n{len(texts):,} files, {size / 1e6:.1f} MB, every third file once more with drifts; CPU s/GB and ratio to ours"
    )
    print(f"{'':22} {'which go':>16} {'files in, files out':>22}   removed")
    report_peer("ours, 32 x 8", mine, size, mine)
    for buckets in (14, 32):
        row = child(options.peers, "datatrove", folder / "documents", folder / f"theirs-{buckets}", buckets)
        if row is None:
            print(f"datatrove is left out: not installed in {options.peers}; see --help")
            return
        report_peer(f"datatrove, {buckets} x 8", row, size, mine)


def report_peer(name: str, row: dict[str, float], size: int, mine: dict[str, float]) -> None:
    """Print one line."""
    cells = [f"{row[key] / size * 1e9:9.1f} {row[key] / mine[key]:6.1f}" for key in ("decided", "seconds")]
    print(f"{name:22} {cells[0]} {cells[1]:>22}   {row['removed']:,.0f}")


def ours(documents: str, out: str) -> dict[str, float]:
    """Run IndexDuplicates and DropNearDuplicates; a tiny corpus first, so that compiling is outside the clock."""
    from corpora.dedup import NearDuplicatesConfig, drop_near_duplicates, index_duplicates
    from corpora.dedup.clusters import Joined, elect, near
    from corpora.dedup.index import Index
    from corpora.engine import Engine
    from corpora.minhash import PERMUTATIONS

    config, engine = NearDuplicatesConfig(), Engine()

    def run(source: Path, target: Path) -> dict[str, float]:
        (target / "index").mkdir(parents=True)
        (target / "near").mkdir()
        start = cpu()
        index_duplicates(target / "index", documents=source, config=config.compared, engine=engine)
        middle = cpu()
        index = target / "index"
        counts: Any = drop_near_duplicates(target / "near", documents=source, index=index, config=config, engine=engine)
        end = cpu()
        elect(Joined((Index.open(index),)), near(config.jaccard, PERMUTATIONS), target)
        decided = cpu() - end + middle - start
        return {"seconds": end - start, "index": middle - start, "decided": decided, "removed": counts["rejected"]}

    write_documents(Path(f"{out}-warm"), ["a b c d e f", "a b c d e f g"])
    run(Path(f"{out}-warm"), Path(f"{out}-warm-out"))
    return best([run(Path(documents), Path(f"{out}-{repeat}" if repeat else out)) for repeat in range(REPEATS)])


def best(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Take the least of each figure: another process can only add to it."""
    return {key: min(row[key] for row in rows) for key in rows[0]}


def datatrove(documents: str, out: str, buckets: str) -> dict[str, float]:
    """Run datatrove's four steps, one task each."""
    from datatrove.executor import LocalPipelineExecutor  # type: ignore[import-not-found]
    from datatrove.pipeline.dedup import MinhashDedupSignature  # type: ignore[import-not-found]
    from datatrove.pipeline.dedup.minhash import (  # type: ignore[import-not-found]
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
    )
    from datatrove.pipeline.readers import JsonlReader  # type: ignore[import-not-found]
    from datatrove.pipeline.writers import JsonlWriter  # type: ignore[import-not-found]
    from datatrove.utils.word_tokenizers import WordTokenizer  # type: ignore[import-not-found]

    class Words(WordTokenizer):  # type: ignore[misc]
        cut = re.compile(r"\w+").findall

        def word_tokenize(self, text: str) -> list[str]:
            return self.cut(text)

        sent_tokenize = span_tokenize = word_tokenize

    config, source = MinhashConfig(num_buckets=int(buckets), hashes_per_bucket=8), f"{documents}/jsonl"

    def run(root: Path) -> dict[str, float]:
        signatures, pairs, clusters = (str(root / name) for name in ("signatures", "pairs", "clusters"))
        steps = (
            (1, [JsonlReader(source), MinhashDedupSignature(signatures, config=config, language=Words())]),
            (int(buckets), [MinhashDedupBuckets(signatures, pairs, config=config)]),
            (1, [MinhashDedupCluster(pairs, clusters, config=config)]),
            (1, [JsonlReader(source), MinhashDedupFilter(clusters), JsonlWriter(str(root / "kept"), compression=None)]),
        )
        start, ends = cpu(), []
        for number, (tasks, pipeline) in enumerate(steps):
            LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(root / f"log-{number}")).run()
            ends.append(cpu() - start)
        removed = lines_in(Path(source)) - lines_in(root / "kept")
        return {"decided": ends[2], "seconds": ends[3], "removed": removed}

    return best([run(Path(out) / str(repeat)) for repeat in range(REPEATS)])


def lines_in(folder: Path) -> int:
    """Count the lines of all files."""
    return sum(path.read_bytes().count(b"\n") for path in folder.iterdir())


def cpu() -> float:
    """Give the CPU seconds of this process and of its ended children."""
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "projection": projection,
    "quality": quality,
    "peer": peer,
}
CHILDREN: dict[str, Callable[..., Any]] = {
    "synthesize": synthesize,
    "cluster": cluster,
    "ours": ours,
    "datatrove": datatrove,
}

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
