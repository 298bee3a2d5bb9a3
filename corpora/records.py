"""Columns of every Parquet file that a stage hands over, and what they mean.

Schemas are Arrow schemas, built on first use so that importing this module costs nothing. Order of columns is fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

TRAIN, HELDOUT = "train", "heldout"
CODE, TEXT = "code", "text"
COMMITS, ISSUES, DOCUMENTATION = "commits", "issues", "documentation"
"""Domains beside code: a change of a file with its message, a thread of comments, the prose of a repository."""

_DOCUMENT = {
    "id": "string",  # 32 hex digits: digest of source, revision and path
    "text": "string",
    "source": "string",  # what was read: "installed", a name from luigi.cfg, "fixture"
    "repository": "string",  # unit of the held-out split: a distribution, a checkout, a folder
    "revision": "string",  # version or commit, "" where there is none
    "path": "string",  # inside the repository, with forward slashes
    "language": "string",  # Linguist name; "English" for replay text
    "license": "string",  # SPDX expression, inside the recipe's allow-list
    "license_evidence": "string",  # where the licence was read
    "stars": "int32",  # of the repository, where a source says so
    "date": "string",  # ISO 8601
    "domain": "string",  # "code", "commits", "issues", "documentation" or "text"
    "split": "string",  # "train" or "heldout", by repository
}
_ARRANGEMENT = {
    "part": "int32",  # number of the token document in its shard: rows of one part are neighbours; null: the row alone
    "part_language": "string",  # language whose token files the part goes to; null: the row's own
    "fim": "string",  # "psm" or "spm" where the middle is moved to the end, else null
    "fim_start": "int32",  # characters into the text: where the middle starts
    "fim_end": "int32",  # and where it ends
}
_REJECTION = {
    "id": "string",
    "source": "string",
    "repository": "string",
    "path": "string",
    "reason": "string",
    "value": "float64",  # the measured signal
    "bound": "float64",  # the bound it broke
    "evidence": "string",
}
_PROBLEM = {
    "id": "string",
    "seed": "string",  # id of the seed problem, "" for a drill
    "kind": "string",  # seed, renumber, backward, compose, program, tools, drill, gym; of a teacher: corpora.math.teacher.labels
    "question": "string",
    "solution": "string",
    "answer": "string",
    "verdict": "string",
    "evidence": "string",  # class of evidence: re-executed, program output, ...
    "path_key": "string",  # canonical set of equations of the solution
    "source": "string",
    "license": "string",
}
_LEDGER = {
    "id": "string",  # of the row of training data; "" for a run that was not counted
    "benchmark": "string",
    "problem": "string",
    "field": "string",  # which text of the problem: prompt, docstring, solution, program, tests, question, answer
    "rule": "string",  # ngram, verbatim, whole, renamed; of math questions: same words, 13-gram and LCS, ...
    "share": "float64",  # of the text's runs that the row holds; of math questions the LCS ratio
    "ngram": "string",  # the run that gave it away
    "offset": "int64",  # characters into the searched text, where the run starts
    "length": "int64",  # characters of the unbroken stretch that starts there
    "decision": "string",
}
_REDACTION = {
    "id": "string",
    "kind": "string",  # the rule: email, ipv4, github_token, license_header, ...
    "start": "int64",  # bytes into the stage's input text
    "length": "int64",
    "digest": "string",  # 24 bits: enough to see repeats, too few to find an address by trying
}
_LABEL = {
    "id": "string",
    "repository": "string",
    "path": "string",
    "language": "string",
    "text": "string",  # what was judged: the beginning of the file
    "label": "float64",  # 0 to 5
}
_SCORE = {
    "id": "string",
    "language": "string",
    "margin": "float64",  # of the model, before calibration
    "score": "float64",  # expected label, 0 to 5
    "probability": "float64",  # that the label is at least `good`
}


def _schema(columns: dict[str, str], extra: dict[str, Any] | None = None) -> pa.Schema:
    import pyarrow as pa

    types = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64()}
    fields = [pa.field(name, types[kind]) for name, kind in columns.items()]
    return pa.schema([*fields, *(pa.field(name, kind) for name, kind in (extra or {}).items())])


def _conversation() -> pa.Schema:
    import pyarrow as pa

    messages = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    names = ("id", "kind", "messages", "tests", "verdict", "evidence", "source", "license")
    return pa.schema([(name, messages if name == "messages" else pa.string()) for name in names])


def _symbols() -> pa.Schema:
    import pyarrow as pa

    span = [(name, pa.int32()) for name in ("start", "end", "body_start", "docstring_start", "docstring_end", "depth")]
    function = pa.struct([("name", pa.string()), *span, ("has_doctest", pa.bool_())])
    return pa.schema([("id", pa.string()), ("imports", pa.list_(pa.string())), ("functions", pa.list_(function))])


def _attribution() -> pa.Schema:
    import pyarrow as pa

    names = ("source", "repository", "revision", "license", "license_evidence")
    counts = [
        ("files", pa.int64()),
        ("bytes", pa.int64()),
        ("notices", pa.list_(pa.string())),
        ("num_notices", pa.int64()),
    ]
    return pa.schema([*((name, pa.string()) for name in names), *counts])


_BUILDERS = {
    "DOCUMENT": lambda: _schema(_DOCUMENT),
    "ARRANGED": lambda: _schema(_DOCUMENT | _ARRANGEMENT),
    "REJECTION": lambda: _schema(_REJECTION),
    "PROBLEM": lambda: _schema(_PROBLEM),
    "LEDGER": lambda: _schema(_LEDGER),
    "LABEL": lambda: _schema(_LABEL),
    "SCORE": lambda: _schema(_SCORE),
    "REDACTION": lambda: _schema(_REDACTION),
    "ATTRIBUTION": _attribution,
    "CONVERSATION": _conversation,
    "SYMBOLS": _symbols,
}
"""DOCUMENT, REJECTION, PROBLEM, LEDGER, LABEL, SCORE, REDACTION: flat rows. ARRANGED: a document, and how its tokens will lie.
CONVERSATION: `messages` is a list of (role, content). SYMBOLS: what one parse found in a kept document; spans are byte
offsets into its UTF-8 text, `docstring_start` is -1 without one."""


def __getattr__(name: str) -> pa.Schema:
    if name not in _BUILDERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    schema = globals()[name] = _BUILDERS[name]()
    return schema
