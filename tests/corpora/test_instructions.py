"""Instructions: what is cut stands alone, what is kept has passed, and the ids and bytes are fixed."""

import pytest

from corpora import records, shards
from corpora.code import functions
from corpora.code.syntax import SyntaxConfig, gate_syntax
from corpora.engine import Engine
from corpora.instructions import InstructionsConfig, VerifyConfig, collect_instructions, program_of, verify_programs

ENGINE = Engine()
DOCTESTS = InstructionsConfig(mbpp=False)
GOOD = '''import math
import numpy as np
from collections import Counter as Bag


def area(radius):
    """Area of a circle, rounded.

    >>> area(1)
    3
    """
    return round(math.pi * radius**2)


def most(words):
    """
    >>> most(["a", "b", "a"])
    'a'
    """
    return Bag(words).most_common(1)[0][0]


def wrong(a):
    """
    >>> wrong(1)
    3
    """
    return a + 1


def helper():
    return 1


def needs_helper():
    """
    >>> needs_helper()
    1
    """
    return helper()


def needs_numpy():
    """
    >>> needs_numpy()
    1
    """
    return np.abs(1)


def not_literal(a):
    """
    >>> not_literal(1)
    <object at 0x1>
    """
    return object()


class Box:
    def method(self):
        """
        >>> 1
        1
        """
'''


def collect(stages, rows, config=DOCTESTS, engine=ENGINE, num_shards=2):
    symbols, out = stages.out(), stages.out()
    gate_syntax(symbols, documents=stages.documents(rows, num_shards), config=SyntaxConfig(), engine=ENGINE)
    return out, collect_instructions(out, symbols=symbols, documents=symbols, config=config, engine=engine)


def test_functions_that_stand_alone_become_conversations(stages, document):
    out, metrics = collect(stages, [document(GOOD)])
    rows = {row["evidence"].split()[-1]: row for row in stages.kept(out, records.CONVERSATION)}
    assert set(rows) == {"area", "most", "wrong"}
    assert metrics["skipped"] == {"doctest_not_literal": 1, "not_self_contained": 2}
    question, answer = rows["area"]["messages"]
    assert question["content"].endswith('    >>> area(1)\n    3\n    """\n```')
    assert answer["content"].startswith("```python\nimport math\n\n\ndef area(radius):")
    assert "numpy" not in answer["content"]
    assert program_of(rows["most"]["messages"]).startswith("from collections import Counter as Bag\n\n\ndef most")
    assert (rows["most"]["tests"], rows["most"]["verdict"]) == ("assert (most(['a', 'b', 'a'])) == ('a')", "unverified")


def test_only_training_documents_are_cut_and_equal_functions_kept_once(stages, document):
    rows = [document(GOOD, path=f"{i}.py") for i in range(3)] + [document(GOOD, path="h.py", split="heldout")]
    out, metrics = collect(stages, rows)
    assert (metrics["kept"], metrics["reasons"]) == (3, {"exact_duplicate": 6})
    kept = {row["id"] for row in stages.kept(out, records.CONVERSATION)}
    assert {row["evidence"] for row in stages.rejected(out)} == kept
    assert not any("h.py" in row["evidence"] for row in stages.kept(out, records.CONVERSATION))


def test_long_functions_and_unparsed_files_are_counted(stages, document):
    config = InstructionsConfig(mbpp=False, max_function_bytes=50)
    assert collect(stages, [document(GOOD)], config)[1]["skipped"] == {"too_long": 6}


def test_problems_carry_their_published_tests(stages):
    out, metrics = collect(stages, [], InstructionsConfig(doctests=False))
    rows = {row["evidence"]: row for row in stages.kept(out, records.CONVERSATION)}
    assert metrics["kept"] == 374
    row = rows["MBPP/601"]
    assert row["tests"].startswith("assert max_chain_length(")
    assert row["messages"][0]["content"].endswith(row["tests"])
    assert (row["source"], row["license"]) == ("mbpp", "CC-BY-4.0")
    assert sum("\t" in program_of(row["messages"]) for row in rows.values()) < 5


def test_only_programs_that_pass_are_kept(stages, document):
    sandbox = pytest.importorskip("sandbox")
    try:
        sandbox.check()
    except sandbox.SandboxUnavailable as unavailable:
        pytest.skip(str(unavailable))
    out, verified = collect(stages, [document(GOOD)])[0], stages.out()
    metrics = verify_programs(verified, conversations=out, config=VerifyConfig(), engine=ENGINE)
    kept = stages.kept(verified, records.CONVERSATION)
    assert sorted(row["evidence"].split()[-1] for row in kept) == ["area", "most"]
    assert {row["verdict"] for row in kept} == {"passed"}
    (rejected,) = stages.rejected(verified)
    assert rejected["reason"] == "failed"
    assert (metrics["kept"], metrics["rejected"]) == (2, 1)


def test_rows_and_their_order_do_not_depend_on_the_number_of_shards(stages, document):
    rows = [document(GOOD, path="a.py"), document(GOOD.replace("radius", "r"), path="b.py")]
    one, three = (collect(stages, rows, InstructionsConfig(), num_shards=n)[0] for n in (1, 3))
    texts = [sorted((r["id"], str(r)) for r in stages.kept(out, records.CONVERSATION)) for out in (one, three)]
    assert texts[0] == texts[1]
    assert len(shards.shard_paths(three / "kept")) == 3


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(a, *b, c=1, **d):\n    return [x for x in a if x]", set()),
        ("def f(a=K) -> T:\n    global G\n    G = 1", {"K", "T", "G"}),
        ("@lru_cache\ndef f():\n    def g():\n        return h(f)\n    return g", {"lru_cache", "h", "f"}),
        ("def f():\n    import json\n    return json.dumps(lambda: missing)", {"missing"}),
    ],
)
def test_global_names(source, names):
    assert functions.global_names(source) == names


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import os.path\nimport numpy\nfrom . import x\nfrom re import *", {"os": "import os.path"}),
        ("try:\n    from json import loads\nexcept ImportError:\n    loads = None", {}),
        ("if TYPE_CHECKING:\n    from typing import Any", {"Any": "from typing import Any"}),
        ("import re\nre = 1", {}),
        ("from __future__ import annotations", {}),
    ],
)
def test_standard_imports(code, names):
    assert functions.standard_imports(code) == names
    assert functions.standard_imports("def f(:") is None


def test_tidy_changes_layout_only():
    assert functions.tidy("def f(a): \n\treturn a  \n") == "def f(a):\n    return a\n"
    text = "x = 'a\tb'\n"
    assert functions.tidy(text) == text
