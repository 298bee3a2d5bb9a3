"""What decontamination finds, what it takes for a benchmark and is none, and what it costs: `python benchmarks/decontamination.py`.

Recall: every HumanEval and MBPP program, changed in sixteen ways (`alterations.py`) and put into a real file between two of
its functions: how many of these files are dropped, and in how many the ledger names that very problem (some problems share
their code). The programs of HumanEvalPack are re-indented, put into JSON, and given other names token by token; GSM8K
questions are wrapped anew. False alarms: real code of this interpreter and its packages in which no benchmark was put; every
dropped file is named with the run that gave it away. Runs in more than ten of these files are ordinary, in both. Cost:
megabytes of text a CPU second of one process, everything indexed, beside a Python set of ten-word runs and, with
`--peers PYTHON`, datatrove's filter in an environment that has it, and spaCy for its English words.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.alterations import ALTERATIONS, blank_lines, in_json, published, tabs
from corpora import benchmarks, renaming
from corpora.benchmarks.files import BenchmarkFiles
from corpora.decontaminate import DecontaminateConfig, Pass, index_of
from corpora.overlaps import Overlap, judge

CONFIG = DecontaminateConfig()
SUFFIXES = (".py", ".pyi", ".js", ".h", ".hpp", ".c", ".cpp", ".cu", ".java", ".go", ".rs", ".md", ".rst")
BYTES = 1_000_000
"""Of a file, at most, as in FilterConfig."""
PEER = """
import json, sys, time, tempfile
from pathlib import Path
import numpy as np
from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter, ngrams, simplify_text
texts, parts = json.loads(Path(sys.argv[1]).read_text()), json.loads(Path(sys.argv[2]).read_text())
config, folder = NGramsDecontConfig(n_grams=10), tempfile.mkdtemp()
step = NGramsDecontFilter(folder, config=config)
cut = [step.tokenizer.word_tokenize(simplify_text(part, config.norm_config)) for part in parts]
hashes = {step.hash_func(" ".join(run)) for words in cut for run in ngrams(words, config.n_grams)}
np.array(list(hashes), dtype=config.hash_config.np_descr).tofile(folder + "/all.index.hashes")
step.load_index_hashes()
step.filter(Document(text="warm up", id="0"))
start = time.process_time()
dropped = sum(step.filter(Document(text=text, id="0")) is not True for text in texts)
print(json.dumps({"seconds": time.process_time() - start, "dropped": dropped, "hashes": len(hashes)}))
"""
"""Its indexer needs lighteval, so the hashes are made with the filter's own tokenizer and hash, as the indexer does."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Recall, false alarms and cost of decontamination.")
    parser.add_argument("--megabytes", type=float, default=60.0, help="real code to read (default: 60)")
    parser.add_argument("--every", type=int, default=1, help="take every n-th problem (default: 1)")
    parser.add_argument("--alarms", type=int, default=20, help="false alarms to print (default: 20)")
    parser.add_argument("--peers", help="a Python that has datatrove")
    options = parser.parse_args()
    paths, texts = real_code(options.megabytes * 1e6)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    search = Search()
    print(
        f"{len(search.index):,} runs of {len(search.index.parts):,} parts; {len(texts):,} real files, {megabytes:.1f} MB\n"
    )
    alarms(search, paths, texts, options.alarms)
    recall(search, texts, options.every)
    cost(search, texts, megabytes, options.peers)


class Search:
    """The index of all shipped test sets, and which runs are ordinary."""

    def __init__(self) -> None:
        self.index, _ = index_of(Pass("documents", CONFIG, BenchmarkFiles()))
        self.ordinary: frozenset[int] = frozenset()

    def hits(self, texts: Sequence[str]) -> dict[int, list[tuple[int, int, int]]]:
        """Find the hits of each text that has any."""
        import pyarrow as pa

        found: dict[int, list[tuple[int, int, int]]] = {}
        for hit in self.index.hits(pa.chunked_array([pa.array(texts, pa.large_string())])):
            found.setdefault(hit.text, []).append((hit.gram, hit.start, hit.end))
        return found

    def overlaps(self, texts: Sequence[str]) -> dict[int, list[Overlap]]:
        """Judge each text that has hits."""
        judged = {text: judge(self.index, spans, self.ordinary, CONFIG) for text, spans in self.hits(texts).items()}
        return {text: overlaps for text, overlaps in judged.items() if overlaps}


def real_code(budget: float) -> tuple[list[str], list[str]]:
    """Read files of the standard library and of installed packages, spread over all of them, up to `budget` bytes."""
    roots = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platinclude")]
    found = sorted({path for root in roots for path in root.rglob("*") if path.suffix in SUFFIXES and path.is_file()})
    random.Random(0).shuffle(found)
    paths, texts, size = [], [], 0
    for path in found:
        content = path.read_bytes() if path.stat().st_size <= BYTES else b"\xff"
        try:
            texts.append(content.decode())
        except UnicodeDecodeError:
            continue
        paths.append(str(path))
        size += len(content)
        if size > budget:
            break
    return paths, texts


def alarms(search: Search, paths: Sequence[str], texts: Sequence[str], shown: int) -> None:
    """Print which files without a benchmark are dropped, and for what."""
    holders = Counter(gram for spans in search.hits(texts).values() for gram in {span[0] for span in spans})
    search.ordinary = frozenset(gram for gram, count in holders.items() if count > CONFIG.boilerplate_documents)
    found = search.overlaps(texts)
    rules = Counter(rule for overlaps in found.values() for rule in {overlap.rule for overlap in overlaps})
    print(f"False alarms: {len(found)} of {len(texts):,} files; files by rule: {dict(sorted(rules.items()))}; ", end="")
    print(f"{len(search.ordinary)} runs ordinary")
    for text, overlaps in sorted(found.items())[:shown]:
        overlap = max(overlaps, key=lambda overlap: overlap.runs)
        part = search.index.parts[overlap.part]
        span = " ".join(texts[text].encode()[overlap.first[1] : overlap.end].decode().split())
        print(
            f"  {'/'.join(paths[text].split('/')[-3:])}: {overlap.rule}, {part.benchmark} {part.problem} {part.field}: {span[:150]}"
        )
    print()


def recall(search: Search, texts: Sequence[str], every: int) -> None:
    """Print how many planted problems are found, by alteration and rule."""
    hosts = [text for text in texts if text.count("\n\n\ndef ") >= 2 and len(text) < 50_000]
    print(f"{'planted':<50}{'copies':>7}{'dropped':>9}{'named':>8}   problems by rule (several rules may find one)")
    for name, change, made in plantings(every):
        copies = [(problem, text) for problem, source in made if (text := change(source))]
        if not copies:
            continue
        planted = [plant(hosts[number % len(hosts)], text) for number, (_, text) in enumerate(copies)]
        named, rules = 0, Counter[str]()
        overlaps = search.overlaps(planted)
        for number, (problem, _) in enumerate(copies):
            by = {o.rule for o in overlaps.get(number, []) if search.index.parts[o.part][:2] == problem}
            named += bool(by)
            rules.update(by)
        shares = [len(overlaps) / len(copies), named / len(copies)]
        print(f"{name:<50}{len(copies):7}{shares[0]:9.1%}{shares[1]:8.1%}   {dict(sorted(rules.items()))}")
    print()


Problem = tuple[str, str]
Planting = tuple[str, Callable[[str], str | None], list[tuple[Problem, str]]]


def plantings(every: int) -> Iterator[Planting]:
    """Give what is planted: a name, the change, and (problem, text) of each."""

    def made(name: str, text: Callable[[Any], str]) -> list[tuple[Problem, str]]:
        return [((p.benchmark, p.id), text(p)) for p in benchmarks.load(name, "test")[::every]]

    for benchmark, text in (("humaneval", lambda p: p.prompt + p.solution), ("mbpp", lambda p: p.solution)):
        for name, change in ALTERATIONS.items():
            yield f"{benchmark}, {name}", change, made(benchmark, text)
    yield "mbpp, the task's sentence as a comment", lambda text: f"# {text}\n", made("mbpp", lambda p: p.prompt)
    for language in benchmarks.LANGUAGES[1:]:
        programs = made(f"humanevalpack-{language}", lambda p: p.extra["declaration"] + p.solution)
        for name, change in (
            ("tabs", tabs),
            ("blank lines", blank_lines),
            ("inside JSON", in_json),
            ("names changed", any_names),
        ):
            yield f"humanevalpack-{language}, no docstring, {name}", change, programs
    questions = made("gsm8k", lambda p: p.question)
    for name, change in (("as published", published), ("re-flowed", re_flowed), ("numbers changed", numbers_changed)):
        yield f"gsm8k, {name}", change, questions


def any_names(text: str) -> str:
    """Give all names that occur twice others, token by token: what is not a word of a language or a member."""
    names = Counter(token.text for token in renaming.tokens(text.encode()) if token.free)
    table = {name.decode(): f"v{number}" for number, (name, count) in enumerate(sorted(names.items())) if count > 1}
    return re.sub(r"(?<![.\w])[A-Za-z_]\w*", lambda match: table.get(match[0], match[0]), text)


def re_flowed(text: str) -> str:
    """Wrap prose at 30 characters, as a comment."""
    return textwrap.indent(textwrap.fill(text, 30), "# ") + "\n"


def numbers_changed(text: str) -> str:
    """Add 7 to every number."""
    return re.sub(r"\d+", lambda match: str(int(match[0]) + 7), text)


def plant(host: str, text: str) -> str:
    """Put a text between two functions of a real file."""
    place = host.index("\n\n\ndef ", len(host) // 4) if "\n\n\ndef " in host[len(host) // 4 :] else len(host)
    return f"{host[:place]}\n\n\n{text}\n{host[place:]}"


def cost(search: Search, texts: Sequence[str], megabytes: float, peers: str | None) -> None:
    """Print megabytes a CPU second of ours, of a Python set, and of datatrove."""
    import pyarrow as pa

    from corpora.ngrams import words

    column = pa.chunked_array([pa.array(texts, pa.large_string())])
    ours = megabytes / min(seconds(lambda: list(search.index.hits(column))) for _ in range(5))
    index, few = search.index, texts[: max(1, len(texts) // 5)]
    size = sum(len(text.encode()) for text in few) / 1e6
    runs = {b" ".join(words(index.text(gram).encode())) for gram in range(len(index)) if index.rule(gram) == "ngram"}

    def look_up() -> None:
        for text in few:
            cut = words(text.encode())
            sum(b" ".join(cut[i : i + CONFIG.ngram]) in runs for i in range(len(cut) - CONFIG.ngram + 1))

    rows = [("ours: all three rules, verified", ours), ("Python set of 10-word runs", size / seconds(look_up))]
    if peers:
        few = few[: max(1, len(few) // 4)]
        rows.append(datatrove(peers, few, sum(len(text.encode()) for text in few) / 1e6))
    print(f"{'MB of text a CPU second':<75}{'':>8}{'ours':>9}")
    for name, rate in rows:
        print(f"{name:<75}{rate:8.2f}{ours / rate:8.1f}x")


def seconds(work: Callable[[], object]) -> float:
    """Give the CPU seconds of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def datatrove(python: str, texts: Sequence[str], megabytes: float) -> tuple[str, float]:
    """Run datatrove's n-gram filter over the same texts, with the same benchmarks, in its own environment."""
    problems = [problem for name in CONFIG.benchmarks for problem in benchmarks.load(*name.split(":"))]
    parts = sorted({text for p in problems for text in (p.prompt, p.solution, p.tests) if text})
    with tempfile.TemporaryDirectory() as folder:
        given = [Path(folder) / name for name in ("texts.json", "parts.json")]
        for path, value in zip(given, (list(texts), parts), strict=True):
            path.write_text(json.dumps(value))
        environment = {"PATH": os.environ["PATH"], "HOME": folder}
        reply = subprocess.run(
            [python, "-c", PEER, *given], check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
    answer = json.loads(reply.stdout.splitlines()[-1])
    name = (
        f"datatrove NGramsDecontFilter, {answer['hashes']:,} runs, {answer['dropped']} of {len(texts):,} files dropped"
    )
    return name, megabytes / answer["seconds"]


if __name__ == "__main__":
    main()
