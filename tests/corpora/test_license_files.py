"""Metadata and headers: what projects write is named, a choice stays a choice, and the stricter of two counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.code.license import PERMISSIVE, allowed, normalize
from corpora.code.license_files import _HEADERS, alone, combine, from_header, from_manifest, is_manifest
from corpora.collect import FIXTURE

APACHE = "Licensed under the Apache License, Version 2.0 (the License);"
GPL = "it under the terms of the GNU General Public License as published by"
JETTY = "// under the terms of the Eclipse Public License v1.0\n// and Apache License v2.0\n"
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
        ("{ This unit is published under the terms of the GPL }", "GPL-2.0-or-later"),
        ("# License: GPL", "GPL-2.0-or-later"),
        ("# This file is part of the Spring engine (GPL v2 or later), see LICENSE", "GPL-2.0-or-later"),
        ("/* License: https://creativecommons.org/licenses/by-sa/4.0 CC BY-SA 4.0 */", "CC-BY-SA-4.0"),
        ("// License: Creative Commons Attribution-ShareAlike 4.0", "CC-BY-SA-4.0"),
        ("# GPL-compatible, as all releases of Python are", ""),
        (f"{JETTY}// You may elect to redistribute this code under either of these licenses.", "EPL-1.0 OR Apache-2.0"),
        (JETTY, "EPL-1.0"),
    ],
)
def test_headers_as_files_write_them(header, expression):
    assert from_header(header) == expression


MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()
ASF = """Licensed to the Apache Software Foundation (ASF) under one or more contributor license agreements.
The ASF licenses this file to You under the Apache License, Version 2.0 (the "License"); you may not use this file except in
compliance with the License. You may obtain a copy of the License at

http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an
"AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for the specific
language governing permissions and limitations under the License."""
ZSTD = """This source code is licensed under both the BSD-style license (found in the LICENSE file) and the GPLv2 (found
in the COPYING file). You may select, at your option, one of the above-listed licenses."""


def comment(text):
    return "/*\n" + "".join(f" * {line}\n" for line in text.splitlines()) + " */\npackage a;\n"


@pytest.mark.parametrize(
    ("header", "folder", "expression"),
    [
        (ASF, "Apache-2.0 AND MPL-2.0", "Apache-2.0"),
        (ASF, "Apache-2.0 AND (BSD-3-Clause OR GPL-2.0-only) AND Minpack", "Apache-2.0"),
        (MIT, "CC-BY-4.0 AND MIT", "MIT"),
        (ZSTD, "BSD-3-Clause AND GPL-2.0", "BSD-3-Clause OR GPL-2.0"),
        (ASF, "GPL-3.0", ""),  # the folder is of one licence, and it is not that
        (ASF, "Apache-2.0", ""),  # nothing to choose from
        (ASF, "MIT AND MPL-2.0", ""),  # none of the folder's
        (ASF, "", ""),
        (MIT, "Apache-2.0 AND GPL-3.0", ""),
        (f"{ASF}\n\nCommercial licenses can be had from us.", "Apache-2.0 AND MPL-2.0", ""),
        (f"{ASF}\nParts of this file are under the GPL.", "Apache-2.0 AND MPL-2.0", ""),
        (f"Not for commercial use without our permission.\n{MIT[-700:]}", "MIT AND MPL-2.0", ""),
        (
            "Use of this source code is governed by a BSD-style license in the LICENSE file.",
            "BSD-3-Clause AND MPL-2.0",
            "",
        ),
        (ZSTD.replace("one", "both"), "BSD-3-Clause AND GPL-2.0", ""),
        (ZSTD, "BSD-3-Clause AND GPL-2.0 AND MPL-2.0", ""),  # a third one that the header does not speak of
        ("See LICENSE.", "Apache-2.0 AND MPL-2.0", ""),
    ],
)
def test_a_header_stands_alone_where_it_is_one_of_several_licences_in_full(header, folder, expression):
    assert alone(comment(header), folder, PERMISSIVE) == expression


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
