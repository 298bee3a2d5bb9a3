"""From a benchmark's published rows to `BenchmarkProblem`: one small function a benchmark, nothing lost.

Line ends become line feeds (MBPP was published with carriage returns before them); every other value is as published.
"""

import ast
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from corpora import SchemaError
from corpora.benchmarks import LANGUAGES, BenchmarkProblem, rowfiles

Row = dict[str, Any]

MBPP_SPLITS = {"prompt": range(1, 11), "test": range(11, 511), "validation": range(511, 601), "train": range(601, 975)}
"""Task ids of each split (MBPP README; the paper prompts with 2, 3 and 4)."""


def read_rows(file: str, content: bytes) -> list[Row]:
    """Read the rows of a file of a benchmark; the first that is none ends the reading."""
    rows = []
    for found in rowfiles.rows_of(file, content):
        if found.row is None:
            raise SchemaError(f"{found.place} {found.problem}; a benchmark is JSONL, JSON or Parquet")
        rows.append(found.row)
    return rows


def problems(name: str, file: str, rows: Iterable[Row]) -> list[BenchmarkProblem]:
    """Turn published rows of benchmark `name` into problems; `file` is named in errors and tells GSM8K's split."""
    reader = READERS.get(name)
    if reader is None:
        raise ValueError(f"no reader for benchmark {name!r}; there are readers for {', '.join(sorted(READERS))}")
    split = "train" if "train" in file else "test"
    try:
        return [reader(name, split, index, row) for index, row in enumerate(rows)]
    except KeyError as error:
        raise SchemaError(f"{file}: a row of {name} has no column {error}; is it a file of this benchmark?") from error


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _rest(row: Row, *used: str) -> dict[str, str]:
    return {key: value for key, value in sorted(row.items()) if key not in used and isinstance(value, str)}


def _human_eval(name: str, split: str, _index: int, row: Row) -> BenchmarkProblem:
    """HumanEval and HumanEvalPack share their columns; the latter has more, which go to `extra`."""
    return BenchmarkProblem(
        id=row["task_id"],
        benchmark=name,
        split=split,
        prompt=row["prompt"],
        solution=row["canonical_solution"],
        tests=row["test"],
        entry_point=row["entry_point"],
        extra=_rest(row, "task_id", "prompt", "canonical_solution", "test", "entry_point"),
    )


def _mbpp(name: str, _split: str, _index: int, row: Row) -> BenchmarkProblem:
    number, code = row["task_id"], _lines(row["code"])
    tests = [_lines(test) for test in row["test_list"]]
    setup = _lines(row.get("test_setup_code") or "")
    return BenchmarkProblem(
        id=f"MBPP/{number}",
        benchmark=name,
        split=next((split for split, ids in MBPP_SPLITS.items() if number in ids), "other"),
        prompt=_lines(row["text"]),
        solution=code,
        tests="\n".join([setup, *tests] if setup else tests),
        entry_point=_tested_function(code, tests),
        extra={"challenge_tests": "\n".join(_lines(test) for test in row.get("challenge_test_list") or ())},
    )


def _tested_function(code: str, tests: list[str]) -> str:
    """Name the function of `code` that the tests call; the last one defined, when they call several."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the published strings
        trees, body = [ast.parse(test.strip()) for test in tests], ast.parse(code).body
    nodes = [node for tree in trees for node in ast.walk(tree)]
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    defined = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return next((name for name in reversed(defined) if name in called), "")


def _gsm8k(name: str, split: str, index: int, row: Row) -> BenchmarkProblem:
    question, answer = row["question"], row["answer"]
    return BenchmarkProblem(
        id=f"GSM8K/{split}/{index}",
        benchmark=name,
        split=split,
        prompt=question,
        solution=answer,
        question=question,
        answer=answer,
    )


READERS: dict[str, Callable[[str, str, int, Row], BenchmarkProblem]] = {
    "humaneval": _human_eval,
    **{f"humanevalpack-{language}": _human_eval for language in LANGUAGES},
    "mbpp": _mbpp,
    "gsm8k": _gsm8k,
}
