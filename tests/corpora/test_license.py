"""Licences: what packages really write is named, expressions are decided conservatively, and what is unclear is no permission."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.code import license as licenses
from corpora.code.license import PERMISSIVE, allowed, from_classifiers, from_free_text, normalize
from corpora.code.license_texts import from_license_texts
from corpora.collect import FIXTURE

NAMES = ("MIT", "Apache-2.0", "GPL-3.0-only", "MPL-2.0", "LicenseRef-Mine")
OSI = "License :: OSI Approved :: "

expressions = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(" ".join),
        inner.map("({})".format),
    ),
    max_leaves=8,
)


@given(expressions)
def test_an_expression_means_what_and_and_or_mean_in_python(expression):
    python = expression.replace("AND", "and").replace("OR", "or")
    for number, name in enumerate(NAMES):
        python = python.replace(name, str(number < 2))  # the first two are permissive
    assert allowed(expression, PERMISSIVE) is eval(python)
    assert normalize(normalize(expression)) == normalize(expression) == expression
    assert allowed(expression.lower(), PERMISSIVE) == allowed(expression, PERMISSIVE)


@given(expressions, st.sampled_from(["AND", "OR", "WITH", "(", ")", ", MIT", "/MIT", "MIT", "AND AND MIT"]))
def test_what_does_not_parse_is_not_allowed(expression, tail):
    assert normalize(f"{expression} {tail}") == ""
    assert not allowed(f"{expression} {tail}", PERMISSIVE)


@given(st.text(max_size=40))
def test_any_text_is_decided(text):
    assert allowed(text, PERMISSIVE) in (True, False)
    assert from_free_text(text) == normalize(from_free_text(text))
    assert licenses.spdx_tag(text) == "" or "spdx-license-identifier" in text.lower()


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-only WITH Classpath-exception-2.0", False),
        ("MIT AND (GPL-2.0-only OR ISC)", True),
        ("mit", True),
        ("", False),
        ("Proprietary", False),
        ("GPL-2.0+", False),
        ("BSD-3-Clause-Clear", False),
    ],
)
def test_expressions(expression, verdict):
    assert allowed(expression, PERMISSIVE) is verdict


@pytest.mark.parametrize(
    ("classifiers", "expression"),
    [
        ([f"{OSI}MIT License"], "MIT"),
        ([f"{OSI}BSD License", f"{OSI}Apache Software License"], "Apache-2.0 AND BSD-3-Clause"),
        (
            [f"{OSI}MIT License", f"{OSI}GNU General Public License v3 (GPLv3)"],
            "LicenseRef-GNU-General-Public-License-v3-GPLv3 AND MIT",
        ),
        (["License :: Other/Proprietary License"], "LicenseRef-Other-Proprietary-License"),
        (["License :: OSI Approved", "Programming Language :: Python"], ""),
    ],
)
def test_classifiers_are_all_asked_for(classifiers, expression):
    assert from_classifiers(classifiers) == expression
    assert normalize(expression) == expression


@pytest.mark.parametrize(
    ("field", "expression"),
    [
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache Software License 2.0", "Apache-2.0"),
        ("The MIT License", "MIT"),
        ("3-Clause BSD License", "BSD-3-Clause"),
        ("BSD 2-Clause License", "BSD-2-Clause"),
        ("New BSD", "BSD-3-Clause"),
        ("BSD", "BSD-3-Clause"),
        ("PSF", "PSF-2.0"),
        ("MPL-2.0 AND MIT", "MPL-2.0 AND MIT"),
        ("UNKNOWN", ""),
        ("Dual License", ""),
        ("MIT (see LICENSE for what is not)", ""),
        ("Not MIT", ""),
        ("x" * 101, ""),
    ],
)
def test_the_license_field_as_packages_write_it(field, expression):
    assert from_free_text(field) == expression


def test_licence_texts_are_recognised_and_one_unknown_makes_all_unknown():
    mit, apache = ((FIXTURE / name / "LICENSE").read_text() for name in ("iniconfig", "toolbox"))
    assert from_license_texts({"LICENSE": mit}) == ("MIT", "LICENSE")
    assert from_license_texts({"LICENSE-MIT": mit, "LICENSE-APACHE": apache}) == (
        "Apache-2.0 AND MIT",
        "LICENSE-APACHE, LICENSE-MIT",
    )
    assert from_license_texts({"a": mit, "b": "All rights reserved."}) == ("", "b: not a known licence text")


def test_a_short_text_that_points_to_a_known_one_is_no_licence_of_its_own():
    mit = (FIXTURE / "iniconfig" / "LICENSE").read_text()
    pointer = (
        "This software is made available under the terms of either of the licences in LICENSE.MIT or LICENSE.APACHE."
    )
    assert from_license_texts({"a/LICENSE": pointer, "a/LICENSE.MIT": mit})[0] == "MIT"
    assert from_license_texts({"a/LICENSE": pointer, "a/LICENSE.BSD": mit})[0] == ""  # what it points to is not there
    assert from_license_texts({"a/LICENSE": pointer + " You may not sell it.", "a/LICENSE.MIT": mit})[0] == ""


def test_the_tag_is_read_in_any_comment_at_the_head_only():
    for line in (
        "# SPDX-License-Identifier: MIT",
        "/* SPDX-License-Identifier: MIT */",
        "<!-- SPDX-License-Identifier: MIT -->",
    ):
        assert licenses.spdx_tag(f"#!/bin/sh\n{line}\ncode") == "MIT"
    assert licenses.spdx_tag("x\n" * 3000 + "# SPDX-License-Identifier: MIT") == ""


@pytest.mark.parametrize("folder", sorted(path.name for path in Path(FIXTURE).iterdir() if path.is_dir()))
def test_every_repository_of_the_fixture_says_its_licence_but_the_one_without(folder):
    from corpora.sources.nearest import license_beside

    found = license_beside(FIXTURE, folder)
    assert (found is None) == (folder == "no-license")
    assert found is None or allowed(found[0], PERMISSIVE)


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("(* SPDX-License-Identifier: MIT *)", "MIT"),
        ("{# SPDX-License-Identifier: MIT #}", "MIT"),
        ("dnl SPDX-License-Identifier: MIT", "MIT"),
        ("'SPDX-License-Identifier: MIT',", "MIT"),
        ("// SPDX-License-Identifier: (GPL-2.0-only OR MIT)", "(GPL-2.0-only OR MIT)"),
        ("// spdx-license-identifier: mit", "MIT"),
        ("# SPDX-License-Identifier: GPL-2.0, see COPYING", ""),
        ("# SPDX-License-Identifier:", "NONE"),
        ("see the SPDX-License-Identifier: GPL-2.0-only tag", ""),
    ],
)
def test_tags_as_files_write_them(line, expression):
    assert normalize(licenses.spdx_tag(f"{line}\ncode")) == expression


def test_a_tag_that_cannot_be_read_is_no_permission_and_never_the_repositorys_licence():
    for line in (
        "SPDX-License-Identifier: GPL-2.0, see COPYING",
        "SPDX-License-Identifier:",
        "SPDX-License-Identifier: ???",
    ):
        tag = licenses.spdx_tag(f"# {line}\n")
        assert tag
        assert not allowed(tag, PERMISSIVE)


def test_several_tags_are_all_asked_for():
    tags = "# SPDX-License-Identifier: MIT OR GPL-2.0-only\n# SPDX-License-Identifier: {}\n"
    assert allowed(licenses.spdx_tag(tags.format("Apache-2.0")), PERMISSIVE)
    assert not allowed(licenses.spdx_tag(tags.format("GPL-2.0-only")), PERMISSIVE)


def test_deep_and_long_expressions_are_refused_not_evaluated():
    assert normalize("(" * 5000 + "MIT" + ")" * 5000) == ""
    assert normalize(" OR ".join(["MIT"] * 5000)) == ""


def test_a_licence_may_be_allowed_with_its_exception_only():
    assert allowed("GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0-only WITH Classpath-exception-2.0"])
    assert not allowed("GPL-2.0-only", ["GPL-2.0-only WITH Classpath-exception-2.0"])
