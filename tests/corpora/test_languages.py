"""Languages: the table agrees with Linguist, content decides what names share, and collection reads what the config lists."""

import enry
import pytest

from corpora.code import languages
from corpora.code.comments import COMMENTS
from corpora.code.languages import BLEND, BY_NAME, LANGUAGES, by_path, detect, possible
from corpora.collect import FIXTURE, CollectCodeConfig, Sources, collect_code
from corpora.engine import Engine

MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()


def test_at_least_ninety_languages_are_known_and_every_row_is_whole():
    assert len(BY_NAME) == len(LANGUAGES) >= 90
    assert len(BLEND) >= 90
    assert all(language.comments in COMMENTS for language in LANGUAGES)
    assert all(language.weight >= 0 and (language.suffixes or language.shared) for language in LANGUAGES)


def test_no_suffix_decides_for_two_languages():
    alone = [suffix for language in LANGUAGES for suffix in language.suffixes.split()]
    shared = {suffix for language in LANGUAGES for suffix in language.shared.split()}
    assert len(alone) == len(set(alone))
    assert not shared.intersection(alone)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_what_decides_alone_is_linguists_only_answer(language):
    for suffix in language.suffixes.split():
        name = f"a{suffix}" if suffix.startswith(".") else suffix
        assert enry.get_languages(name, b"\n") == [language.name], name
        assert by_path(f"folder.d/{name}") == language.name


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        ("a.py", "x = 1\n", "Python"),
        ("a.PY", "x = 1\n", "Python"),
        ("a.h", "int f(void);\n", "C"),
        ("a.h", "namespace a { template <class T> class B; }\n", "C++"),
        ("a.h", "@interface A : B\n@end\n", "Objective-C"),
        ("a.m", "@implementation A\n@end\n", "Objective-C"),
        ("a.m", "function y = f(x)\n% squares\ny = x.^2;\nend\n", "MATLAB"),
        ("a.pl", "use strict;\nmy $x = 1;\n", "Perl"),
        ("a.pl", "a(X) :- b(X).\n", "Prolog"),
        ("a.ts", "const a: number = 1;\n", "TypeScript"),
        ("a.ts", '<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS></TS>\n', "XML"),
        ("a.rs", "use std::fmt;\nfn main() {}\n", "Rust"),
        ("a.php", "<?php\necho 1;\n", "PHP"),
        ("src/Makefile", "all:\n\ttrue\n", "Makefile"),
        ("CMakeLists.txt", "project(a)\n", "CMake"),
        ("bin/run", "#!/usr/bin/env bash\nls\n", "Shell"),
        ("notes", "words\n", ""),
        ("a.pl", "#!/usr/bin/perl\n# use v6 of the library; a :- b.\nsay 'a';\nclass A {}\n", "Perl"),
        ("a.t", "#! /usr/bin/env perl\nuse v6ish;\n", "Perl"),
        ("bin/profile", "#!/usr/bin/env ruby\nputs 1\n", "Ruby"),
        ("cli.d.ts", "#!/usr/bin/env node\nimport './hook';\n", "TypeScript"),
        ("a.s", "// Go's own\nTEXT add(SB), NOSPLIT, $0\n\tMOVQ a+0(FP), AX\n\tRET\n", "Unix Assembly"),
        ("a.S", "\t.text\n\tmove.l d0, (a0)+\n\tlea foo, a1\n\tjsr bar\n", "Unix Assembly"),
        ("a.h", "/*\n@end of the group\n*/\nint f(void);\n", "C"),
        ("a.h", "/*\n@property p\n@end\n*/\nnamespace a { template <class T> class B; }\n", "C++"),
        ("a.h", "#import <UIKit/UIKit.h>\nextern int a;\n", "Objective-C"),
    ],
)
def test_the_language_of_a_file(path, text, wanted):
    assert detect(path, text) == wanted
    if wanted in BY_NAME and wanted not in ("XML",):
        assert wanted in possible(path)


def test_a_name_that_is_no_code_is_possible_in_no_language():
    assert possible("a.png") == frozenset()
    assert languages.is_script("bin/run")
    assert not languages.is_script("Makefile")


def collect(stages, tmp_path, names):
    files = {
        "LICENSE": MIT,
        "a.py": "a = 1\n",
        "a.h": "int f(void);\n",
        "b.h": "namespace a { template <class T> class B; }\n",
        "run": "#!/bin/sh\nls\n",
        "notes": "not code\n",
        "a.go": "package a\n",
        "a.png": "x",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    out = stages.out()
    config = CollectCodeConfig(
        kinds=("folders",), budget_bytes=10**7, max_repository_bytes=10**7, num_shards=1, seed=1, languages=names
    )
    collect_code(out, config=config, sources=Sources(folders=(("s", str(tmp_path)),)), engine=Engine())
    kept = {row["path"]: row["language"] for row in stages.kept(out)}
    return kept, {row["path"]: (row["reason"], row["evidence"]) for row in stages.rejected(out)}


def test_only_python_is_read_by_default(stages, tmp_path):
    assert collect(stages, tmp_path, CollectCodeConfig.languages) == ({"a.py": "Python"}, {})


def test_every_language_of_the_config_is_read_and_what_is_none_of_them_is_named(stages, tmp_path):
    kept, rejected = collect(stages, tmp_path, ("Python", "C", "Shell"))
    assert kept == {"a.py": "Python", "a.h": "C", "run": "Shell"}
    assert rejected == {"b.h": ("language", "C++")}


def test_a_language_that_no_row_knows_is_refused():
    with pytest.raises(ValueError, match=r"CollectCodeConfig\.languages must be names of .*, got Pyton"):
        CollectCodeConfig(kinds=("fixture",), budget_bytes=1, max_repository_bytes=1, languages=("Pyton",))
