"""Metadata and headers: what projects write is named, a choice stays a choice, and the stricter of two counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.code.license import PERMISSIVE, allowed, normalize
from corpora.code.license_files import _HEADERS, combine, from_header, from_manifest, is_manifest

APACHE = "Licensed under the Apache License, Version 2.0 (the License);"
GPL = "it under the terms of the GNU General Public License as published by"
MANIFESTS = ("package.json", "composer.json", "Cargo.toml", "pyproject.toml", "setup.cfg", "pom.xml", "x.gemspec")


@pytest.mark.parametrize(
    ("name", "text", "expression"),
    [
        ("package.json", '{"license": "MIT"}', "MIT"),
        ("package.json", '{"license": {"type": "ISC", "url": "x"}}', "ISC"),
        ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}', "MIT OR Apache-2.0"),
        ("package.json", '{"license": "SEE LICENSE IN LICENSE.md"}', ""),
        ("package.json", '{"name": "x"}', ""),
        ("package.json", "[" * 100_000, ""),
        ("composer.json", '{"license": ["MIT", "GPL-3.0-or-later"]}', "MIT OR GPL-3.0-or-later"),
        ("Cargo.toml", '[package]\nlicense = "MIT OR Apache-2.0"\n', "MIT OR Apache-2.0"),
        ("Cargo.toml", '[package]\nlicense-file = "LICENSE"\n', ""),
        ("pyproject.toml", '[project]\nlicense = { text = "BSD 3-Clause" }\n', "BSD-3-Clause"),
        ("pyproject.toml", '[project]\nlicense = {text = "BSD-3-Clause"}\n', "BSD-3-Clause"),
        ("pyproject.toml", 'classifiers = ["License :: OSI Approved :: MIT License"]\n', "MIT"),
        ("setup.cfg", "[metadata]\nlicense = Apache 2.0\n", "Apache-2.0"),
        ("x.gemspec", "s.licenses = ['MIT', 'BSD-2-Clause']\n", "MIT OR BSD-2-Clause"),
        ("pom.xml", "<licenses><license><name>Apache License 2.0</name></license></licenses>", "Apache-2.0"),
        ("pom.xml", "<licenses><license><name>Our own</name></license></licenses>", ""),
        ("go.mod", "module x", ""),
    ],
)
def test_metadata_as_projects_write_it(name, text, expression):
    assert from_manifest(name, text) == expression
    assert is_manifest(name) == (name != "go.mod")


@given(st.sampled_from(MANIFESTS), st.text(max_size=80) | st.from_regex(r"license ?[=:] ?[\"'{\[a-zA-Z0-9. ]{0,20}"))
def test_any_metadata_is_read_as_an_expression_or_nothing(name, text):
    assert from_manifest(name, text) in ("", normalize(from_manifest(name, text)))


@pytest.mark.parametrize(
    ("header", "expression"),
    [
        (f"# {APACHE}\n", "Apache-2.0"),
        (f"/*\n * {GPL}\n */\n", "GPL-2.0-or-later"),
        (f"/* {APACHE}\n * {GPL} */", "GPL-2.0-or-later"),
        (f"/* Alternatively, {GPL}\n{APACHE} */", "GPL-2.0-or-later OR Apache-2.0"),
        ("# the GNU Lesser\n#   General Public License", "LGPL-2.1-or-later"),
        ("// Unauthorized copying of this file is prohibited", "LicenseRef-Proprietary"),
        ("import os\n", ""),
        ("x\n" * 4000 + GPL, ""),
    ],
)
def test_headers_as_files_write_them(header, expression):
    assert from_header(header) == expression


def test_a_choice_holds_only_when_the_texts_are_those_of_the_choice():
    assert allowed(combine("MIT OR GPL-2.0-only", "GPL-2.0-only AND MIT"), PERMISSIVE)
    assert not allowed(combine("MIT OR ISC", "GPL-2.0-only AND MIT"), PERMISSIVE)
    assert combine("MIT", "") == ""
    assert combine("", "MIT") == "MIT"


@pytest.mark.parametrize(("name", "phrase"), _HEADERS)
def test_every_phrase_of_a_header_is_found_in_any_case(name, phrase):
    for text in (f"# {phrase}\n", f"/* {phrase.upper()} */", "// " + phrase.replace(" ", "\n// ")):
        assert from_header(text) == name


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: see file", "MIT OR Apache-2.0"),
        ("Classifier: Topic :: Utilities\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        ("License: BSD-3-Clause", "BSD-3-Clause"),
        ("License: see file", ""),
        ("Summary: none\n\nLicense: MIT", ""),
    ],
)
def test_a_source_distribution_says_its_licence_in_its_metadata(fields, expression):
    assert from_manifest("PKG-INFO", f"Metadata-Version: 2.4\nName: x\n{fields}\n\nText") == expression
