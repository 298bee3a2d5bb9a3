"""Evaluation sets: rows as published, their licence and digest beside them, one reader a benchmark.

The sets whose licence allows it lie in `data/` as Parquet with the published columns and values; `SOURCES.json` names
licence, source and digests, `licenses/` has the texts. `load` checks the digest each time (a millisecond): a score or a
decontamination against an altered set is worth nothing. Sets that may not be shipped come in through `load_path`, and,
with columns of their own, through `files`.
Rebuild the data with `python -m corpora.benchmarks build FOLDER`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
LANGUAGES = ("python", "js", "java", "go", "cpp", "rust")
"""Languages of HumanEvalPack, as its files name them."""
TEST_SETS = ("humaneval:test", "mbpp:test", *(f"humanevalpack-{language}:test" for language in LANGUAGES), "gsm8k:test")
"""All shipped sets that models are tested on: what training data is kept clean of."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkProblem:
    """One problem. Fields that a benchmark does not have are empty; what has no field of its own is in `extra`."""

    id: str
    """The benchmark's own id: "HumanEval/0", "Rust/0", "MBPP/11", "GSM8K/test/0" (row number)."""
    benchmark: str
    split: str
    prompt: str
    """What a model is given: signature and docstring (HumanEval), the task's sentence (MBPP), the question (GSM8K)."""
    solution: str
    """HumanEval: the body that follows the prompt. MBPP: the whole program. GSM8K: the same as `answer`."""
    tests: str = ""
    """HumanEval: text that defines `check(candidate)`. MBPP: the asserts, one a line, after any set-up code."""
    entry_point: str = ""
    question: str = ""
    answer: str = ""
    """As published; GSM8K's holds the reasoning and ends in "#### 72"."""
    extra: Mapping[str, str] = field(default_factory=dict)


def names() -> list[str]:
    """Name the benchmarks that `load` has."""
    return sorted({entry["benchmark"] for entry in sources().values()})


def load(name: str, split: str) -> list[BenchmarkProblem]:
    """Read one split of a shipped benchmark, in the published order.

    humaneval and humanevalpack-<language> have "test"; gsm8k has "train" and "test"; mbpp has "prompt" (task ids 1-10),
    "test" (11-510), "validation" (511-600) and "train" (601-974).
    """
    from corpora.benchmarks.readers import problems

    found = [
        problem for file in _files(name) for problem in problems(name, file, _rows(file)) if problem.split == split
    ]
    if not found:
        known = sorted({p.split for file in _files(name) for p in problems(name, file, _rows(file))})
        raise ValueError(f"benchmark {name!r} has no split {split!r}; it has {', '.join(known)}")
    return found


def load_path(name: str, path: Path, sha256: str) -> list[BenchmarkProblem]:
    """Read a benchmark that is not shipped from a JSONL (may be gzip) or Parquet file, after checking its digest."""
    from corpora.benchmarks.readers import problems

    return problems(name, path.name, checked_rows(path, sha256))


def checked_rows(path: Path, sha256: str) -> list[dict[str, Any]]:
    """Read the rows of a file of one of the usual forms after checking its digest."""
    from corpora.benchmarks.readers import read_rows

    content = path.read_bytes()
    check_digest(path, hashlib.sha256(content).hexdigest(), sha256)
    return read_rows(path.name, content)


@lru_cache(maxsize=1)
def sources() -> dict[str, dict[str, Any]]:
    """Read SOURCES.json: Parquet file -> benchmark, licence, source, digests, rows."""
    found: dict[str, dict[str, Any]] = json.loads((DATA / "SOURCES.json").read_text(encoding="utf-8"))
    return found


def _files(name: str) -> list[str]:
    files = [file for file, entry in sources().items() if entry["benchmark"] == name]
    if not files:
        raise ValueError(
            f"no benchmark {name!r} is shipped; shipped are {', '.join(names())}. For others use load_path"
        )
    return files


@lru_cache(maxsize=16)
def _rows(file: str) -> list[dict[str, Any]]:
    return checked_rows(DATA / file, sources()[file]["sha256"])


def check_digest(path: Path, found: str, wanted: str) -> None:
    """Refuse a file that is another than the recipe names."""
    if found != wanted:
        message = f"{path}: sha256 is {found}, wanted {wanted}; get the published file again, or correct the digest"
        raise ValueError(message)
