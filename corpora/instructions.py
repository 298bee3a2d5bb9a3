"""Instructions whose answers carry a proof that a sandbox can run: problems with tests, and functions with doctests.

Problems are MBPP's training split, with its asserts. Functions are cut from training documents of the corpus: the
prompt is signature and docstring, the proof is the docstring's examples. Only what passed becomes training data. A
function that needs more of its file than standard imports, or whose examples are not literal, is counted and left out;
equal functions of different files are kept once.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import benchmarks, progress, records, shards, sieve
from corpora.engine import Engine

if TYPE_CHECKING:
    import pyarrow as pa

    from sandbox import Outcome, Program

_SCRATCH = "scratch"
MBPP_PROMPT = (
    "You are an expert Python programmer, and here is your task: {task} Your code should pass these tests:\n\n{tests}"
)
"""The sentence of the MBPP paper (Austin et al. 2021, section 3)."""
FUNCTION_PROMPT = "Complete this Python function.\n\n```python\n{head}\n```"
_FENCE, _FENCE_END = "```python\n", "\n```"
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


@dataclass(frozen=True, kw_only=True)
class InstructionsConfig:
    """Which kinds are collected, and how long a function may be."""

    mbpp: bool = True
    """Take MBPP's training split, 374 problems."""
    doctests: bool = True
    """Cut functions with doctests from the corpus."""
    max_function_bytes: int = 4000
    """About 1,000 tokens, so that prompt and answer fit a sequence of 2,048; ours."""

    def __post_init__(self) -> None:
        if self.max_function_bytes < 1:
            raise ValueError(f"InstructionsConfig.max_function_bytes must be at least 1, got {self.max_function_bytes}")


@dataclass(frozen=True, kw_only=True)
class VerifyConfig:
    """What a program may use while it is judged."""

    wall_seconds: float = 20.0
    """Wide, so that a busy machine keeps what a quiet one keeps."""
    cpu_seconds: int = 10
    memory_bytes: int = 512 << 20

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"VerifyConfig.{name} must be above 0, got {value}")


def collect_instructions(
    out: Path, *, symbols: Path, documents: Path, config: InstructionsConfig, engine: Engine
) -> dict[str, object]:
    """Make conversations from problems with tests and from functions with doctests; nothing has run yet."""
    paths = shards.shard_paths(documents / "kept")
    found = engine.map_shards(_candidates_shard, paths, symbols, out / _SCRATCH, config)
    first: dict[str, str] = {}
    for digest, name in sorted(pair for part in found for pair in part["programs"]):
        first.setdefault(digest, name)
    shards.write_json(out / _SCRATCH / "first.json", first)
    counts = sieve.total(out, engine.map_shards(_keep_shard, paths, out))
    shutil.rmtree(out / _SCRATCH)
    skipped: Counter[str] = Counter()
    for part in found:
        skipped.update(part["skipped"])
    return {**counts, "skipped": dict(sorted(skipped.items()))}


def verify_programs(out: Path, *, conversations: Path, config: VerifyConfig, engine: Engine) -> dict[str, object]:
    """Run every answer against its tests in the sandbox; keep what passed, reject the rest with its outcome."""
    paths = shards.shard_paths(conversations / "kept")
    counts = []
    for number, path in enumerate(paths, start=1):
        counts.append(sieve.done(out, path.name) or _verify_shard(path, out, config, engine.workers))
        progress.report(number, len(paths), "shards")
    return sieve.total(out, counts)


def _candidates_shard(path: Path, symbols: Path, scratch: Path, config: InstructionsConfig) -> dict[str, Any]:
    """Write one shard's candidates; give the digest and id of each program, and why other functions were left out."""
    index, count = int(path.stem.split("-")[1]), int(path.stem.split("-")[-1])
    rows, skipped = [], Counter[str]()
    if config.mbpp:
        rows += [_mbpp_row(problem) for problem in benchmarks.load("mbpp", "train")[index::count]]
    if config.doctests:
        for made in _functions(path, symbols / "symbols" / path.name, config.max_function_bytes):
            if isinstance(made, str):
                skipped[made] += 1
            else:
                rows.append(made)
    rows.sort(key=lambda row: str(row["id"]))
    shards.write(scratch / path.name, rows, records.CONVERSATION)
    programs = [(_digest(program_of(row["messages"])), row["id"]) for row in rows]
    return {"programs": programs, "skipped": dict(skipped)}


def _keep_shard(path: Path, out: Path) -> sieve.Counts:
    """Drop a program that another candidate with a lesser id has too."""
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    table = shards.read(out / _SCRATCH / path.name, records.CONVERSATION)
    first = shards.read_json(out / _SCRATCH / "first.json")
    rejects = []
    for row, conversation in enumerate(table.to_pylist()):
        winner = first[_digest(program_of(conversation["messages"]))]
        if winner != conversation["id"]:
            rejects.append(sieve.Reject(row, "exact_duplicate", evidence=winner))
    return sieve.write(out, path.name, table, rejects, records.CONVERSATION)


def _functions(path: Path, symbols: Path, max_bytes: int) -> Iterator[dict[str, Any] | str]:
    """Make a row of each top-level function with doctests in a shard's training documents, or say why it cannot be."""
    from corpora.code import functions

    columns = ["id", "functions"]
    with_doctest = {
        row["id"]: [f for f in row["functions"] if f["has_doctest"] and f["depth"] == 0]
        for row in shards.read(symbols, records.SYMBOLS, columns).to_pylist()
    }
    for document in shards.read(path, records.DOCUMENT).to_pylist():
        spans = with_doctest.get(document["id"], [])
        if document["split"] != records.TRAIN or not spans:
            continue
        imports = functions.standard_imports(document["text"])
        for span in spans:
            yield "not_parsed" if imports is None else _function_row(document, span, imports, max_bytes)


def _function_row(
    document: dict[str, Any], span: dict[str, Any], imports: dict[str, str], max_bytes: int
) -> dict[str, Any] | str:
    from corpora.code import functions
    from sandbox import doctest_asserts

    if span["end"] - span["start"] > max_bytes:
        return "too_long"
    code = document["text"].encode()
    found = functions.cut(code, span["start"], span["docstring_end"], span["end"], imports)
    if found is None:
        return "not_self_contained"
    tests = doctest_asserts(found.docstring, found.name)
    if tests is None:
        return "doctest_not_literal"
    head = f"{found.imports}\n\n\n{found.head}" if found.imports else found.head
    return _row(
        kind="function",
        name=f"{document['id']} {span['start']}",
        prompt=FUNCTION_PROMPT.format(head=head),
        program=found.program,
        tests=tests,
        evidence=f"{document['repository']} {document['path']} {found.name}",
        source=document["source"],
        license_=document["license"],
    )


def _mbpp_row(problem: benchmarks.BenchmarkProblem) -> dict[str, Any]:
    from corpora.code import functions

    return _row(
        kind="problem",
        name=problem.id,
        prompt=MBPP_PROMPT.format(task=problem.prompt, tests=problem.tests),
        program=functions.tidy(problem.solution).strip("\n"),
        tests=problem.tests,
        evidence=problem.id,
        source="mbpp",
        license_="CC-BY-4.0",
    )


def _row(
    *, kind: str, name: str, prompt: str, program: str, tests: str, evidence: str, source: str, license_: str
) -> dict[str, Any]:
    """Make a conversation row; its id is a digest of where it comes from."""
    messages = [
        {"role": "user", "content": prompt.replace("\r\n", "\n")},
        {"role": "assistant", "content": f"{_FENCE}{program.rstrip()}{_FENCE_END}".replace("\r\n", "\n")},
    ]
    columns = {"tests": tests, "verdict": "unverified", "evidence": evidence, "source": source, "license": license_}
    return {"id": _digest(f"{kind} {name}"), "kind": kind, "messages": messages, **columns}


def program_of(messages: list[dict[str, str]]) -> str:
    """Take the program out of an answer made here: all of it but the fence."""
    return messages[-1]["content"].removeprefix(_FENCE).removesuffix(_FENCE_END) + "\n"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _verify_shard(path: Path, out: Path, config: VerifyConfig, workers: int) -> sieve.Counts:
    import sandbox

    table = shards.read(path, records.CONVERSATION)
    limits = sandbox.Limits(
        wall_seconds=config.wall_seconds, cpu_seconds=config.cpu_seconds, memory_bytes=config.memory_bytes
    )
    programs = [_program(row) for row in table.to_pylist()]
    outcomes = sandbox.run_many(programs, limits=limits, workers=workers)
    rejects = [
        sieve.Reject(row, outcome.status.value, evidence=_ADDRESS.sub("0x", outcome.detail)[:300])
        for row, outcome in enumerate(outcomes)
        if outcome.status is not sandbox.Status.PASSED
    ]
    return sieve.write(out, path.name, _with_verdicts(table, outcomes), rejects, records.CONVERSATION)


def _program(row: dict[str, Any]) -> Program:
    from sandbox import Program

    return Program(source=program_of(row["messages"]), tests=row["tests"])


def _with_verdicts(table: pa.Table, outcomes: list[Outcome]) -> pa.Table:
    import pyarrow as pa

    verdicts = pa.array([outcome.status.value for outcome in outcomes], pa.string())
    return table.set_column(table.column_names.index("verdict"), "verdict", verdicts)
