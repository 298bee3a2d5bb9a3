"""Imports: every language's forms are read and resolved to files; hostile text costs what its length costs."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.code.imports import MAX_IMPORTS, imports_of, namespaces_of
from corpora.code.modules import FAMILIES, MAX_FILES, Modules, resolve

READ = [
    ("Python", "import a\nimport b.c as d, e  # f\n", ["a", "b.c", "e"]),
    ("Python", "from a.b import c, d as e\nfrom . import f\nfrom ..g import *\n", ["a.b.c", "a.b.d", ".f", "..g"]),
    ("Python", "if x:\n    from a import (\n        b,  # one, two\n        c,\n    )\n", ["a.b", "a.c"]),
    ("Python", "importa = 1\nx = 'import a'\n", []),
    ("JavaScript", "import a from './a';\nimport './b'\nconst c = require(\"../c\");\n", ["./a", "./b", "../c"]),
    (
        "TypeScript",
        "import type {\n  A,\n} from './a'\nexport * from './b'\nawait import(`./c`)\n",
        ["./a", "./b", "./c"],
    ),
    ("Java", "package p;\nimport a.b.C;\nimport static a.D.e;\n", ["a.b.C", "a.D.e"]),
    ("Kotlin", "import a.b.C\n", ["a.b.C"]),
    ("Go", 'import "fmt"\nimport (\n\t"os"\n\tx "m.io/p/q" // why\n)\n', ["fmt", "os", "m.io/p/q"]),
    ("C", '#include <stdio.h>\n# include "a/b.h"\n', ["<stdio.h>", '"a/b.h"']),
    (
        "Rust",
        "mod a;\npub(crate) mod b;\nuse crate::c::{d, e::{F, G as H}};\n",
        ["self::a", "self::b", "crate::c::d", "crate::c::e::F", "crate::c::e::G"],
    ),
    ("Rust", "use super::a::*;\nuse self::b::{self, C};\n", ["super::a::*", "self::b::self", "self::b::C"]),
    (
        "C#",
        "using System;\nglobal using A.B;\nusing static C.D;\nusing E = F.G;\nusing (x) {}\n",
        ["System", "A.B", "C.D", "F.G"],
    ),
    ("COBOL", "import a", []),
]
FOUND = [
    ("Python", "p/a.py", ".b.name", ["p/b.py"], "p/b.py p/__init__.py"),
    ("Python", "p/a.py", ".name", ["p/__init__.py"], "p/__init__.py"),
    ("Python", "p/q/a.py", "..b", ["p/b.py"], "p/b.py b.py"),
    ("Python", "tests/t.py", "p.b.f", ["src/p/b.py"], "src/p/b.py src/p/__init__.py"),
    ("Python", "tests/t.py", "p", ["src/p/__init__.py"], "src/p/__init__.py src/p/b.py"),
    ("Python", "p/a.py", "json", [], "p/json.py p/__init__.py"),  # inside a package only the standard library's
    ("Python", "scripts/a.py", "helper", ["scripts/helper.py"], "scripts/helper.py"),
    ("Python", "a.py", "....x.y", [], "x/y.py"),
    ("Python", "p/a.py", ".a", [], "p/a.py p/__init__.pyi"),  # never itself
    ("JavaScript", "src/a.js", "./b", ["src/b.jsx"], "src/b.jsx"),
    ("JavaScript", "src/a.js", "../lib", ["lib/index.js"], "lib/index.js"),
    ("TypeScript", "src/a.ts", "./b.js", ["src/b.ts"], "src/b.ts"),
    ("TypeScript", "app/x/a.ts", "@/b/c", ["app/src/b/c.tsx"], "app/src/b/c.tsx"),
    ("JavaScript", "src/a.js", "react", [], "react/index.js"),
    ("JavaScript", "a.js", "../../../etc/passwd", [], "etc/passwd"),
    ("Java", "m/src/a/A.java", "a.b.C", ["m/src/a/b/C.java"], "m/src/a/b/C.java n/src/a/b/C.java"),
    ("Java", "src/a/A.java", "a.B.member", ["src/a/B.java"], "src/a/B.java"),
    ("Go", "cmd/main.go", "m.io/r/pkg/x", ["pkg/x/a.go", "pkg/x/b.go"], "pkg/x/a.go pkg/x/b.go pkg/x/a_test.go"),
    ("Go", "main.go", "fmt", [], "fmt/print.go main.go"),
    ("C", "src/a.c", '"a.h"', ["src/a.h"], "src/a.h a.h"),
    ("C++", "src/a.cc", '"lib/b.h"', ["include/lib/b.h"], "include/lib/b.h"),
    ("C++", "src/a.cc", "<lib/b.h>", ["include/lib/b.h"], "include/lib/b.h"),
    ("C", "examples/a.c", "<cmocka.h>", ["include/cmocka.h"], "include/cmocka.h cmocka_private.h"),
    ("C", "src/a.c", "<string.h>", [], "src/string.h"),
    ("C", "src/a.c", "<string.h>", ["include/string.h"], "include/string.h"),  # a C library
    ("C", "src/a.c", "<other.h>", [], "src/another.h"),
    ("Rust", "src/lib.rs", "self::a", ["src/a/mod.rs"], "src/a/mod.rs"),
    ("Rust", "src/a/b.rs", "super::c::D", ["src/a/c.rs"], "src/a/c.rs src/lib.rs"),
    ("Rust", "src/a/b.rs", "crate::c::d::E", ["src/c/d.rs"], "src/c/d.rs src/c.rs src/lib.rs"),
    ("Rust", "src/a.rs", "std::io", [], "src/io.rs"),
    ("Ruby", "a.rb", "b", [], "b.rb"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "wanted"), READ)
def test_imports_are_read_as_they_are_written(language, text, wanted):
    assert imports_of(language, text) == wanted


@pytest.mark.parametrize(("language", "importer", "name", "wanted", "others"), FOUND)
def test_a_name_finds_the_files_it_means(language, importer, name, wanted, others):
    assert resolve(language, importer, name, Modules([importer, *others.split()])) == wanted


def test_a_namespace_of_csharp_finds_its_files():
    text = "using System;\nnamespace A.B\n{\n}\nnamespace C;\n"
    assert namespaces_of("C#", text) == ["A.B", "C"]
    assert namespaces_of("C++", text) == []
    files = [f"{n:02}.cs" for n in range(30)]
    assert resolve("C#", "main.cs", "A.B", Modules(files, {"A.B": files})) == files[:MAX_FILES]


@pytest.mark.parametrize(
    ("language", "piece"),
    [
        ("Python", "from x import ("), ("Python", "\nfrom x import (a"), ("Python", "\nfrom a"), ("Python", " "),
        ("Python", "\nimport \\"), ("JavaScript", "from "), ("JavaScript", "import ("), ("JavaScript", "from'"),
        ("Java", "\nimport a"), ("Go", "\nimport ("), ("C", "\n#include <"), ("C", "\n# "),
        ("Rust", "\nuse a{"), ("Rust", "a::{"), ("Rust", "\nuse "), ("C#", "\nusing a="), ("C#", "\nusing static "),
    ],
)  # fmt: skip
def test_hostile_text_costs_no_more_than_its_length(language, piece):
    text = piece * (1_000_000 // len(piece))
    before = time.process_time()
    assert len(imports_of(language, text)) <= MAX_IMPORTS
    assert time.process_time() - before < 2  # measured: under 0.1 s a megabyte


@given(st.sampled_from(list(FAMILIES)), st.text(), st.text(), st.lists(st.text(max_size=9), max_size=6))
def test_any_name_finds_only_files_that_are_there(language, path, name, others):
    modules = Modules([path, *others])
    assert {*resolve(language, path, name, modules)} <= {*others} - {path}


@given(st.sampled_from(list(FAMILIES)), st.text(alphabet="imporfuse ncludg({\n\"'.;:*,#<>=\\ab", max_size=200))
def test_reading_any_text_ends_in_names(language, text):
    assert all(isinstance(name, str) and name for name in imports_of(language, text))
