"""Notebooks: a script in the kernel's language with nothing that was printed, or a reason."""

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.collect import FIXTURE, CollectCodeConfig, Sources, collect_code
from corpora.engine import Engine
from corpora.sources.notebooks import script

MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()
PYTHON = {"kernelspec": {"name": "python3", "language": "python"}}


def notebook(*cells, metadata=PYTHON, **fields):
    found = [{"cell_type": kind, "source": source, "outputs": [{"text": "CANARY"}]} for kind, source in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": found, **fields})


def test_cells_lie_in_order_and_what_was_printed_is_gone():
    cells = (
        ("markdown", ["# Title\n", "\n", "Words."]),
        ("code", ["x = 1\n", "print(x)"]),
        ("raw", "CANARY"),
        ("code", ""),
        ("code", "y = 2"),
    )
    assert script(notebook(*cells)) == ("Python", "# # Title\n#\n# Words.\n\nx = 1\nprint(x)\n\ny = 2\n")


def test_format_3_is_read():
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["Title"]},
        {"cell_type": "code", "language": "python", "input": ["x = 1\n", "x"], "outputs": [{"text": "CANARY"}]},
    ]
    data = {"nbformat": 3, "metadata": {"name": "a"}, "worksheets": [{"cells": cells}, {"cells": cells[1:]}]}
    assert script(json.dumps(data)) == ("Python", "# Title\n\nx = 1\nx\n\nx = 1\nx\n")


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"language_info": {"name": "python"}}, "Python"),
        ({"kernelspec": {"name": "ir"}}, "R"),
        ({"kernelspec": {"name": "julia-1.9"}}, "Julia"),
        ({"kernelspec": {"name": "xcpp17"}}, "C++"),
        ({"language_info": {"name": "R"}, "kernelspec": {"language": "python"}}, "R"),
        ({"kernelspec": {"name": "x", "language": "scala"}}, "Scala"),
        ({"kernelspec": {"name": "javascript"}}, "JavaScript"),
    ],
)
def test_the_language_is_that_of_the_kernel(metadata, language):
    found = script(notebook(("markdown", "Words."), ("code", "1"), metadata=metadata))
    assert found[0] == language
    assert found[1] in ("# Words.\n\n1\n", "// Words.\n\n1\n")


LINES = {
    "%matplotlib inline": "# %matplotlib inline",
    "!pip install x": "# !pip install x",
    "files = !ls": "# files = !ls",
    "t = %timeit -o f()": "# t = %timeit -o f()",
    "print?": "# print?",
    "??print": "# ??print",
    "x = 5 % y": "x = 5 % y",
    "if a:\n    !ls\n    %cd x": "if a:\n    pass  # !ls\n    pass  # %cd x",
    "print('%d' %\n%x)": "print('%d' %\n# %x)",
    "s = ('a'\n  %name)": "s = ('a'\n  %name)",
    "%%time\nx = 1": "# %%time\nx = 1",
    "%%bash\nls\necho x": "# %%bash\n# ls\n# echo x",
    "%%html\n<b>x</b>": "# %%html\n# <b>x</b>",
    "a != b": "a != b",
    "x = not y": "x = not y",
}


@pytest.mark.parametrize("source", LINES)
def test_lines_for_the_notebook_program_are_comments(source):
    assert script(notebook(("code", source))) == ("Python", LINES[source] + "\n")


def test_a_notebook_of_magics_is_a_python_script():
    source = "import os\n%load_ext x\nfor a in range(3):\n    !echo {a}\nx = !ls\nhelp?\ny = 10 %3"
    ast.parse(script(notebook(("markdown", "A"), ("code", source)))[1])


REFUSED = {
    "no JSON": ("{", "notebook", "no JSON"),
    "deep JSON": ("[" * 100_000, "notebook", "no JSON"),
    "a list": ("[]", "notebook", "no cells"),
    "no cells": ("{}", "notebook", "no cells"),
    "cells that are none": ('{"cells": [1, null, "x"]}', "notebook", "no cells"),
    "no language": (json.dumps({"cells": [{"cell_type": "code", "source": "x"}]}), "language", "no language"),
    "a language that nobody knows": (
        notebook(("code", "x"), metadata={"kernelspec": {"name": "brain"}}),
        "language",
        "brain",
    ),
    "a language without comments": (
        notebook(("code", "x"), metadata={"kernelspec": {"language": "css"}}),
        "language",
        "css",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_notebook_has_a_reason(name):
    data, reason, evidence = REFUSED[name]
    found = script(data)
    assert found["reason"] == reason
    assert evidence in found["evidence"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "source", "input", "metadata", "kernelspec", "name", "cell_type", "worksheets"]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_a_script_or_has_a_reason(value):
    found = script(json.dumps(value))
    assert isinstance(found, tuple) or found["reason"] in ("notebook", "language")


def test_notebooks_are_read_where_the_recipe_asks_for_them(stages, tmp_path):
    (tmp_path / "LICENSE").write_text(MIT)
    (tmp_path / "a.ipynb").write_text(notebook(("code", "a = 1")))
    (tmp_path / "r.ipynb").write_text(notebook(("code", "a <- 1"), metadata={"kernelspec": {"name": "ir"}}))
    (tmp_path / "e.ipynb").write_text(notebook(("code", "")))
    (tmp_path / "b.ipynb").write_text("{")

    def collect(**changes):
        out, sources = stages.out(), Sources(folders=(("mine", str(tmp_path)),))
        enough = {"budget_bytes": 10**7, "max_repository_bytes": 10**7, "num_shards": 1, "kinds": ("folders",)}
        collect_code(out, config=CollectCodeConfig(**enough, **changes), sources=sources, engine=Engine())
        return stages.kept(out), {row["path"]: row["reason"] for row in stages.rejected(out)}

    assert collect() == ([], {})
    kept, rejected = collect(notebooks=True)
    assert [(row["path"], row["text"], row["language"], row["domain"]) for row in kept] == [
        ("a.ipynb", "a = 1\n", "Python", "code")
    ]
    assert rejected == {"b.ipynb": "notebook", "e.ipynb": "empty", "r.ipynb": "language"}
