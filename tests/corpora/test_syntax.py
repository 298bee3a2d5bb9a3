"""Syntax: the gate of every language, spans that agree with Python's own parser, a parser that cannot hang or remember."""

import ast
import sys
import sysconfig
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import records, shards
from corpora.code import gaps, grammars
from corpora.code.languages import BY_NAME
from corpora.code.parsing import Parsing
from corpora.code.syntax import ERROR_SHARES, SyntaxConfig, examine, gate_syntax
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
    assert (rejected["path"], rejected["bound"]) == ("b.py", dict(ERROR_SHARES)["Python"])
    assert 0 < rejected["value"] <= 1


GOOD = {
    "Python": "def f(a):\n    return a + 1\n",
    "Java": "class A { int f(int a) { return a + 1; } }\n",
    "JavaScript": "export const f = (a) => a + 1;\n",
    "TypeScript": "export function f<T>(a: T): T { return a; }\n",
    "TSX": "export const f = (a: number) => <p>{a}</p>;\n",
    "Go": "package a\n\nfunc f(a int) int { return a + 1 }\n",
    "Rust": "fn f(a: u8) -> u8 { a + 1 }\n",
    "C": '#ifdef __cplusplus\nextern "C" {\n#endif\nint f(int a);\nint g(int a);\n#ifdef __cplusplus\n}\n#endif\n',
    "C++": "template <class T> T f(T a) { return a + 1; }\n",
    "C#": "class A { int F(int a) => a + 1; }\n",
    "Ruby": "def f(a)\n  a + 1\nend\n",
    "PHP": "<?php function f($a) { return $a + 1; }\n",
    "Shell": 'f() {\n  echo "$1"\n}\n',
}
BROKEN = "function f(a {{ ]] return <- @@ while ) 1 +* ;; if then )( \n"


@pytest.mark.parametrize("language", GOOD)
def test_every_gated_language_keeps_code_and_drops_what_is_none(language):
    assert examine(language, GOOD[language].encode(), CONFIG).get("reason") is None
    broken = f"<?php {BROKEN}" if language == "PHP" else BROKEN
    found = examine(language, broken.encode() * 5, CONFIG)
    assert (found["reason"], found["bound"]) == ("syntax", dict(ERROR_SHARES)[language])
    assert found["bound"] < found["value"] <= 1


def test_every_gated_language_has_an_example_and_every_grammar_is_gated():
    gated = [language for language, _ in ERROR_SHARES]
    assert sorted(gated) == sorted(GOOD) == sorted(name for name, row in BY_NAME.items() if row.grammar)


def test_what_parses_inside_an_error_is_read():
    """An open brace makes the whole of a header one error node."""
    header = 'extern "C" {\n' + "int f(int a, char *b);\n" * 50
    found = examine("C", header.encode(), CONFIG)
    assert found.get("reason") is None


def test_a_little_damage_is_a_little_share():
    code = b"x = 1\n" * 100 + b"def f(:\n    pass\n"
    found = examine("Python", code, CONFIG)
    assert (found["reason"], found["bound"]) == ("syntax", dict(ERROR_SHARES)["Python"])
    assert 0.0003 < found["value"] < 0.05
    assert "reason" not in examine("Python", code, SyntaxConfig(error_shares=(("Python", 0.05),)))


def test_a_language_that_is_not_gated_passes_unparsed():
    config = SyntaxConfig(error_shares=(("Go", 0.0),))
    assert examine("Python", b"def f(:\n", config) == {"imports": [], "functions": []}


# Hangs and crashes --------------------------------------------------------------------------------------------------


def test_a_stopped_parse_is_reported_and_leaves_no_trace_in_the_next_one():
    config = SyntaxConfig(steps_per_byte=0.0, least_steps=5)
    stopped = {"reason": "parse_stopped", "value": 5.0, "bound": 5.0}
    with Parsing(config) as parsing:
        assert parsing.examine("Python", b"x = (1 + 2)\n" * 5000) == stopped
        assert parsing.examine("Python", b"import os\n") == {"imports": ["os"], "functions": []}
    tree = grammars.parse(grammars.parser_of("Python"), b"y = 2\n", 1000)
    assert (tree.root_node.end_byte, tree.root_node.has_error) == (6, False)


def test_the_child_finds_what_this_process_finds():
    with Parsing(CONFIG) as parsing:
        for language, code in GOOD.items():
            assert parsing.examine(language, code.encode()) == examine(language, code.encode(), CONFIG)
        assert parsing.examine("Python", SAMPLE.encode()) == examine("Python", SAMPLE.encode(), CONFIG)
        assert parsing.examine("Markdown", b"# (((") == {"imports": [], "functions": []}


HARMFUL = """
import ctypes, json, os, resource, signal, sys
from corpora.code import parsing

def examine(language, code, config):
    if code == b"spin":
        while True:
            pass
    if code == b"crash":
        ctypes.string_at(0)
    if code == b"memory":
        raise MemoryError
    if code == b"mistake":
        [].pop()
    if code == b"stray":
        os.kill(os.getpid(), signal.SIGTERM)
    return {"imports": [str(os.getpid())], "functions": []}

parsing.examine = examine
parsing.main()
"""


@pytest.mark.parametrize(("harm", "name"), [("spin", "SIGXCPU"), ("crash", "SIGSEGV"), ("memory", "SIGABRT")])
def test_a_file_that_ends_the_child_is_rejected_and_the_next_is_parsed(harm, name):
    with Parsing(SyntaxConfig(cpu_seconds=1), (sys.executable, "-c", HARMFUL)) as parsing:
        before = parsing.examine("Go", b"fine")
        found = parsing.examine("Go", harm.encode())
        assert found == {"reason": "parse_killed", "value": 1.0, "bound": 1.0, "evidence": name}
        assert parsing.examine("Go", b"fine")["imports"] != before["imports"]


def test_a_file_on_which_our_own_code_fails_is_rejected_with_the_error():
    with Parsing(CONFIG, (sys.executable, "-c", HARMFUL)) as parsing:
        before = parsing.examine("Go", b"fine")
        found = parsing.examine("Go", b"mistake")
        assert found == {"reason": "parse_failed", "evidence": "IndexError: pop from empty list"}
        assert parsing.examine("Go", b"fine") == before


def test_a_child_that_others_end_is_no_files_fault():
    with (
        Parsing(CONFIG, (sys.executable, "-c", HARMFUL)) as parsing,
        pytest.raises(ChildProcessError, match="ended with -15"),
    ):
        parsing.examine("Go", b"stray")


def test_configs_are_checked_when_they_are_made():
    with pytest.raises(ValueError, match=r"SyntaxConfig\.error_shares must be shares from 0 to 1, got 2 for Go"):
        SyntaxConfig(error_shares=(("Go", 2),))
    with pytest.raises(ValueError, match=r"SyntaxConfig\.error_shares must name languages with a grammar .*'Cobra'"):
        SyntaxConfig(error_shares=(("Cobra", 0.0),))


def test_a_function_whose_body_is_missing_has_no_docstring():
    """As in the error tests of a Python parser: the hole is mended with a body of nothing."""
    found = examine("Python", b"def foo():\ndef foo() -> int:\nx = 42\n", SyntaxConfig(error_shares=(("Python", 1.0),)))
    assert [function["docstring_start"] for function in found["functions"]] == [-1, -1]


# What the grammars do not know ---------------------------------------------------------------------------------------

GAPS = [
    ("TypeScript", 'export type * from "./shapes";\n'),
    ("TypeScript", 'export type * as shapes from "./shapes";\n'),
    ("TypeScript", 'declare const pair: import("./pair.js").Pair<\n  number,\n  string\n>;\n'),
    (
        "TypeScript",
        "export type Same<in out T> = (value: T) => T;\ntype From<\n  out A,\n  in B extends string\n> = A;\n",
    ),
    ("TSX", 'export type * from "./shapes";\n'),
    ("JavaScript", "const f = 1;\nexport { f as function, f as null };\n"),
    ("C#", "class A {\n#pragma warning suppress 56506 // checked\n  int F(int a) => a; }\n"),
    ("C#", "#if A\nclass A : B {\n#elif C\nclass A : C {\n#else\nclass A {\n#endif\n  int F(int a) => a; }\n"),
    ("C", "#include <a.h>\nMY_PRIVATE thing_t *\nmake(thing_t *a, int b);\nMY_PRIVATE other_t *\ntake(int);\n"),
    (
        "C++",
        "BEGIN_SHAPES\nclass SHAPES_API Box : Shape { int a; };\nstruct SHAPES_API(x) Ball : Box {};\nEND_SHAPES\n",
    ),
]


@pytest.mark.parametrize(("language", "code"), GAPS)
def test_what_a_grammar_does_not_know_is_no_error(language, code, monkeypatch):
    assert examine(language, code.encode(), CONFIG).get("reason") is None
    monkeypatch.setattr(gaps, "painted", lambda _, code: code)
    assert examine(language, code.encode(), CONFIG)["reason"] == "syntax"


@pytest.mark.parametrize("language", ["TypeScript", "JavaScript", "C#", "C", "C++"])
def test_what_is_no_program_is_none_without_its_gaps(language):
    known = "".join(code for name, code in GAPS if name == language)
    found = examine(language, f"{known}\n{BROKEN * 5}".encode(), CONFIG)
    assert found["reason"] == "syntax"


@given(
    st.sampled_from([*GOOD]),
    st.lists(
        st.sampled_from([*"ABCD (<,>\n", "#if A\n", "#else\n", "#endif", "import('a').", " out ", "é"]), max_size=30
    ),
)
def test_painting_keeps_every_byte_in_its_place(language, pieces):
    code = "".join(pieces).encode()
    painted = gaps.painted(language, code)
    assert len(painted) == len(code)
    assert [byte == 10 for byte in painted] == [byte == 10 for byte in code]


def test_painting_is_linear():
    for piece in (
        b"import('",
        b"export ",
        b", in ",
        b"class AAAA",
        b"AAAA (",
        b"  ",
        b"#if\n",
        b"\nAAAA",
        b"as ",
        b"import(  ",
    ):
        for language in ("TypeScript", "C++", "C#"):
            gaps.painted(language, piece * (200_000 // len(piece)))


def test_a_little_that_a_good_python_file_has_is_no_reason():
    code = b"def f(a):\n    return *[None] * 3, *a, *[None] * 2\n" + b"x = f(1)\n" * 5000
    assert "reason" not in examine("Python", code, CONFIG)
    assert examine("Python", code[:100], CONFIG)["reason"] == "syntax"
