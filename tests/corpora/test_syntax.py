"""Syntax: the gate, spans that agree with Python's own parser, and a parser that cannot hang or remember."""

import ast
import sysconfig
from itertools import accumulate
from pathlib import Path

import pytest

from corpora import records, shards
from corpora.code import syntax
from corpora.code.syntax import SyntaxConfig, examine, gate_syntax
from corpora.engine import Engine

CONFIG = SyntaxConfig()
SAMPLE = '''"""Module."""
from __future__ import annotations
import os.path, sys as system
from ..near import thing
from json import (loads)

@decorate
def first(a):
    """Add.

    >>> first(1)
    2
    """
    def inner():
        return a
    return a + 1

class Box:
    async def second(self):
        f"""no docstring"""

    def third(self): r"""é"""
'''


def test_imports_and_functions_of_a_sample():
    found = examine("Python", SAMPLE.encode(), CONFIG)
    code = SAMPLE.encode()
    assert found["imports"] == ["__future__", "os.path", "sys", "..near", "json"]
    functions = {function["name"]: function for function in found["functions"]}
    assert [(name, f["depth"], f["has_doctest"]) for name, f in functions.items()] == [
        ("first", 0, True),
        ("inner", 1, False),
        ("second", 1, False),
        ("third", 1, False),
    ]
    first, third = functions["first"], functions["third"]
    assert code[first["start"] :].startswith(b"@decorate\ndef first")
    assert code[first["start"] : first["end"]].endswith(b"return a + 1")
    assert code[first["docstring_start"] : first["docstring_end"]].startswith(b'"""Add.')
    assert code[third["docstring_start"] : third["docstring_end"]].decode() == 'r"""é"""'
    assert functions["second"]["docstring_start"] == functions["second"]["docstring_end"] == -1


@pytest.mark.parametrize("name", ["textwrap.py", "statistics.py", "typing.py", "dataclasses.py"])
def test_spans_agree_with_the_interpreters_parser(name):
    code = (Path(sysconfig.get_path("stdlib")) / name).read_bytes()
    lines = [0, *accumulate(map(len, code.splitlines(keepends=True)))]
    expected = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            end = lines[node.end_lineno - 1] + node.end_col_offset
            expected[lines[first - 1] + node.col_offset] = (node.name, end, ast.get_docstring(node) is not None)
    found = {f["start"]: f for f in examine("Python", code, CONFIG)["functions"]}
    assert found.keys() == expected.keys()
    for start, (name_, end, has_docstring) in expected.items():
        assert (found[start]["name"], found[start]["docstring_start"] >= 0) == (name_, has_docstring)
        # comments that close a body are inside for one parser and outside for the other
        assert all(line.strip()[:1] in (b"", b"#") for line in code[end : found[start]["end"]].splitlines())


def test_the_gate_keeps_what_parses_and_symbols_follow_kept(stages, document):
    rows = [document("x = 1\n", path="a.py"), document("function f() { var x = {};; }\n", path="b.py")]
    rows += [
        document("def f():\n    return 1\n", path="c.py"),
        document("# Title\n\n* text", path="d", language="Markdown"),
    ]
    out = stages.out()
    metrics = gate_syntax(out, documents=stages.documents(rows), config=CONFIG, engine=Engine())
    assert (metrics["kept"], metrics["reasons"]) == (3, {"syntax": 1})
    for path in shards.shard_paths(out / "kept"):
        kept = shards.read(path, records.DOCUMENT)["id"].to_pylist()
        assert shards.read(out / "symbols" / path.name, records.SYMBOLS)["id"].to_pylist() == kept
    (rejected,) = stages.rejected(out)
    assert (rejected["path"], rejected["bound"]) == ("b.py", 0.0)
    assert 0 < rejected["value"] <= 1


def test_a_little_damage_is_a_little_share():
    code = b"x = 1\n" * 100 + b"def f(:\n    pass\n"
    reason, value, bound = examine("Python", code, CONFIG)
    assert (reason, bound) == ("syntax", 0.0)
    assert 0 < value < 0.05
    assert isinstance(examine("Python", code, SyntaxConfig(max_error_share=0.05)), dict)


def test_a_stopped_parse_is_reported_and_leaves_no_trace_in_the_next_one():
    config = SyntaxConfig(steps_per_byte=0.0, least_steps=5)
    assert examine("Python", b"x = (1 + 2)\n" * 5000, config) == ("parse_stopped", 5.0, 5.0)
    after = examine("Python", b"import os\n", config)
    assert after == {"imports": ["os"], "functions": []}
    tree = syntax.parse(syntax._python()[0], b"y = 2\n", 1000)
    assert (tree.root_node.end_byte, tree.root_node.has_error) == (6, False)


def test_shares_are_checked_when_the_config_is_made():
    with pytest.raises(ValueError, match=r"SyntaxConfig\.max_error_share must be a share from 0 to 1, got 2"):
        SyntaxConfig(max_error_share=2)
