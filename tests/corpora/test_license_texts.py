"""Licence texts of a folder: what is certain is named, and of everything that is let pass a like text that is not."""

import time

import pytest

from corpora.code.license import PERMISSIVE, allowed
from corpora.code.license_texts import from_license_texts, identify
from corpora.collect import FIXTURE
from corpora.sources import is_license_file

MIT = (FIXTURE / "iniconfig" / "LICENSE").read_text()
APACHE = (FIXTURE / "toolbox" / "LICENSE").read_text()
BSD = (FIXTURE / "docs-httpx" / "LICENSE").read_text()
ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies. THE SOFTWARE IS PROVIDED "AS IS" AND
THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION,
ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE."""
GRANT = MIT[MIT.index("Permission is hereby") :]
HOLDERS = "Copyright (c) 2001-2026\n" + "Jane Doe\nBig Software, Inc.\n" * 20
PYTHON = """A. HISTORY OF THE SOFTWARE
Python was created by Guido. Its releases are GPL-compatible.

PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2
PSF hereby grants Licensee a license.

BEOPEN.COM LICENSE AGREEMENT FOR PYTHON 2.0
BeOpen hereby grants Licensee a license.

CNRI LICENSE AGREEMENT FOR PYTHON 1.6.1
under the GNU General Public License (GPL), Virginia

CWI LICENSE AGREEMENT FOR PYTHON 0.9.0 THROUGH 1.2
OR PERFORMANCE OF THIS SOFTWARE."""


def named(text):
    return " AND ".join(sorted(identify(text)))


@pytest.mark.parametrize(
    ("before", "after", "expression"),
    [
        ("Copyright (c) 2020 Jane\n\n", "", "MIT"),
        (HOLDERS, "", "MIT"),
        ("All of this is provided under the terms of the MIT license shown below. " * 12, "", "MIT"),
        ("", "\nlib/sha.c is from the Foo project, released under a 3-clause BSD license, see there." * 12, "MIT"),
        ("Everything in ee/ is licensed under the Enterprise License. " * 12, "", ""),
        ("The following applies to all but plugins/, which may not be copied. " * 12, "", ""),
        ("Some of the files are under the GPL. " + HOLDERS * 3, "", ""),
        ("The documentation is under a Creative Commons licence. " + HOLDERS * 3, "", ""),
        ("Parts are licensed under the Foo Source Licence. " + HOLDERS * 3, "", ""),
        ("", "\nYou can use and modify lib/x as long as you send a postcard." * 12, ""),
        ("", "\nSubject to payment of a yearly fee." * 20, ""),
        ("This text is about something else altogether. " * 80, "", ""),
        ("Nur für den privaten Gebrauch; für alles Übrige wäre eine Prüfung nötig. 专有 软件 不得 商用 " * 12, "", ""),
        ("", "\nThis software is for non-commercial use.", ""),
        ('"Commons Clause" License Condition v1.0\n\n', "", ""),
    ],
)
def test_what_stands_around_a_licence_decides(before, after, expression):
    assert named(before + GRANT + after) == expression


def test_a_whole_that_is_under_the_licence_that_follows():
    parts = "Much of the math code is Copyright 1993 Sun and was contributed to the public domain of Ruritania.\n" * 60
    whole = "foo as a whole is licensed under the following standard MIT license:\n\n" + MIT + parts
    assert named(whole) == "MIT"
    assert named(whole.replace("as a whole", "in part")) == ""
    assert named(whole + "The parser is under the GPL.") == ""
    assert named(parts * 2 + whole) == ""


def test_pythons_collection_of_licences_is_one():
    note = "Foo has code of Python, which is licensed under the Python license.\n\n"
    assert named(note + PYTHON) == "Python-2.0.1"
    assert named(note + PYTHON.replace("CNRI", "XYZ")) == ""
    assert named(note + PYTHON.replace("CWI", "x " * 7_500 + "CWI")) == ""  # too long: something else stands there
    assert named(note + PYTHON + "\nThe parser is under the GPL.") == ""


NOTE = "Foo is licensed under the terms of the Modified BSD License. The team is the set of all contributors to it."


@pytest.mark.parametrize(
    ("note", "expression"),
    [
        (NOTE, "MIT"),
        (f"{NOTE} {NOTE * 20} See the LICENSE file.", "MIT"),
        ("This project is dual-licensed under the Unlicense and MIT licenses.", "MIT"),
        ("This project is dual-licensed under the GPL and MIT licenses.", ""),
        (f"{NOTE} See the LICENSE.other file.", ""),  # which is not there
        (f"{NOTE} All rights reserved.", ""),
        (f"{NOTE} It is free for academic use.", ""),
        (f"{NOTE} Permission to sell it can be had from the author.", ""),
        (
            f"{NOTE} Its fonts are published under the Foo Font Terms, and are the work of many people of all the lands.",
            "",
        ),
        ("Nutzung nur nach Absprache mit dem Verfasser, Weitergabe untersagt, siehe Vertrag.", ""),
        ("仅供学习使用，不得用于其他用途。" * 10, ""),
        ("", ""),
    ],
)
def test_a_note_beside_a_known_text_is_passed_over_when_it_changes_nothing(note, expression):
    found = from_license_texts({"a/COPYING.rst": note, "a/LICENSE": MIT})
    assert found[0] == expression
    assert found[1] == ("a/LICENSE" if expression else "a/COPYING.rst: not a known licence text")
    assert from_license_texts({"COPYING.rst": note})[0] == ""  # alone it is what nobody knows


@pytest.mark.parametrize(
    ("pointer", "silent"),
    [
        ("License\n=======\n\n.. literalinclude:: ../LICENSE.txt\n   :language: text\n", True),
        ("See LICENSE file in the project root for full license information.", True),
        ("```{include} ../../LICENSE\n```", True),
        ("See COPYING of the original project.", False),
        ("See ../README for the terms.", False),
        ("For non-commercial use; else see ../LICENSE.", False),
        ("Under the GPL, see ../LICENSE.", False),
        ("You may not copy this. See ../LICENSE.", False),
        ("All rights reserved. See ../LICENSE.", False),
        ("See ../LICENSE." + " And so on and on." * 100, False),
    ],
)
def test_a_pointer_upwards_says_nothing_so_that_the_folder_above_decides(pointer, silent):
    assert from_license_texts({"docs/license.rst": pointer}) == (
        None if silent else ("", "docs/license.rst: not a known licence text")
    )


EITHER = "This software is made available under the terms of *either* of the licenses found in LICENSE.APACHE or LICENSE.MIT."


@pytest.mark.parametrize(
    ("texts", "expression"),
    [
        ({"LICENSE": EITHER, "LICENSE.APACHE": APACHE, "LICENSE.MIT": MIT}, "Apache-2.0 OR MIT"),
        (
            {"LICENSE": EITHER.replace("either", "both"), "LICENSE.APACHE": APACHE, "LICENSE.MIT": MIT},
            "Apache-2.0 AND MIT",
        ),
        ({"LICENSE": EITHER, "LICENSE.MIT": MIT}, "MIT"),
        (
            {
                "LICENSE": "See LICENSE.APACHE. The tools are under either of LICENSE.MIT, LICENSE.BSD. See LICENSE.X.",
                "LICENSE.APACHE": APACHE,
                "LICENSE.MIT": MIT,
                "LICENSE.BSD": BSD,
                "LICENSE.X": ISC,
            },
            "Apache-2.0 AND ISC AND (BSD-3-Clause OR MIT)",
        ),
        ({"LICENSE": EITHER, "LICENSE.MIT": MIT, "LICENSE.APACHE": "Ours alone."}, ""),
        ({"LICENSE": EITHER, "LICENSE.MIT": MIT, "LICENSE.APACHE": MIT}, "MIT"),
        ({"LICENSE": f"{EITHER} The GPL is for the rest.", "LICENSE.MIT": MIT, "LICENSE.APACHE": APACHE}, ""),
    ],
)
def test_a_choice_of_files_is_one(texts, expression):
    assert from_license_texts(texts)[0] == expression
    if expression:
        assert set(from_license_texts(texts)[1].split(", ")) >= {"LICENSE.MIT"}


def test_a_third_text_beside_a_choice_is_asked_for_as_well():
    found = from_license_texts({"LICENSE": EITHER, "LICENSE.APACHE": APACHE, "LICENSE.MIT": MIT, "LICENSE.x": BSD})
    assert found == ("BSD-3-Clause AND (Apache-2.0 OR MIT)", "LICENSE, LICENSE.APACHE, LICENSE.MIT, LICENSE.x")


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"COPYRIGHT": MIT}, ("MIT", "COPYRIGHT")),
        ({"COPYRIGHT": HOLDERS + "All rights reserved.\n"}, None),
        ({"COPYRIGHT": "Copyright Jane. You may not copy this."}, ("", "COPYRIGHT: not a known licence text")),
        ({"COPYRIGHT": HOLDERS, "LICENSE": MIT}, ("MIT", "LICENSE")),
        ({"COPYRIGHT": APACHE, "LICENSE": MIT}, ("Apache-2.0 AND MIT", "COPYRIGHT, LICENSE")),
    ],
)
def test_a_file_called_copyright_is_a_licence_or_a_list_of_holders(texts, found):
    assert from_license_texts(texts) == found


@pytest.mark.parametrize(
    ("names", "are"),
    [
        (
            "LICENSE LICENCE.txt COPYING COPYING.LESSER COPYING_LIB UNLICENSE LICENSE-MIT LICENSES.md LICENSE.Apache-2.0",
            True,
        ),
        ("license.rst LICENSE.html LICENSE.rtf LICENSE.adoc LICENSE.gpl COPYRIGHT copyright.txt", True),
        (
            "License.go License.cs License.java License.kt License.php license.py License.rb license.ts license.sh",
            False,
        ),
        (
            "license.xml license.h license.json license.yml license.gradle license.svg license.vm licenses.json.gz",
            False,
        ),
        ("licenses.py.license copyright.rst copyrightnotice.txt copyright.go README", False),
    ],
)
def test_source_files_are_no_licence_texts(names, are):
    assert {name: is_license_file(f"a/{name}") for name in names.split()} == dict.fromkeys(names.split(), are)


@pytest.mark.parametrize(
    "text",
    [
        "licensed under " * 13_000,
        "../" * 60_000,
        "(" * 200_000,
        "LICENSE" * 28_000,
        "either of " * 20_000,
        "\n" * 200_000,
    ],
)
def test_hostile_texts_cost_what_others_cost(text):
    started = time.process_time()
    found = from_license_texts({"LICENSE": text, "COPYRIGHT": text, "COPYING": MIT})
    assert time.process_time() - started < 1.5
    assert found is None or not allowed(found[0], PERMISSIVE) or found[0] == "MIT"
