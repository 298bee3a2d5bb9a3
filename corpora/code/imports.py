"""What a source file imports, as it is written there: one table of linear patterns, a row a language.

No parse and no evaluation: a pattern reads the text once, every run in it is bounded, so hostile text costs what other
text costs (50 to 180 MB a core second). An import inside a string or a comment is taken for one; it finds no file, or
moves one file a little earlier. Names that a language imports without saying so (the package of a Java file, a folder
of a Go package) are not seen. `corpora.code.modules` finds the files of these names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

MAX_IMPORTS = 1000
"""Imports of one file that are looked at; the longest list of any real file seen had 600."""

_PYTHON = re.compile(
    r"\n[ \t]{0,64}(?:import[ \t]{1,16}([^\n#;]{1,1000})"
    r"|from[ \t]{1,16}([.\w]{1,256})[ \t]{1,16}import[ \t]{0,16}(\([^)]{0,4000}|[^\n#;(]{1,1000}))"
)
_JAVASCRIPT = re.compile(r"""\b(?:from|import|require)\s{0,8}\(?\s{0,8}["'`]([^"'`\n]{1,256})["'`]""")
_JAVA = re.compile(
    r"\n[ \t]{0,64}import[ \t]{1,16}(?:static[ \t]{1,16})?([\w.]{1,256})[ \t]{0,8};?[ \t]{0,8}$", re.MULTILINE
)
_GO = re.compile(r'\nimport[ \t]{0,8}(?:\(([^)]{0,20000})|(?:[\w.]{1,64}[ \t]{1,8})?("[^"\n]{1,256}"))')
_GO_PATH = re.compile(r'"([^"\n]{1,256})"')
_C = re.compile(r'\n[ \t]{0,64}#[ \t]{0,16}(?:include|import)[ \t]{0,16}(<[^>\n]{1,256}>|"[^"\n]{1,256}")')
_RUST = re.compile(
    r"\n[ \t]{0,64}(?:pub(?:\([^)\n]{0,64}\))?[ \t]{1,16})?(?:mod[ \t]{1,16}(\w{1,128})[ \t]{0,8};|use[ \t]{1,16}([^;]{1,2000}))"
)
_CSHARP = re.compile(
    r"\n[ \t]{0,64}(?:global[ \t]{1,16})?using[ \t]{1,16}(?:static[ \t]{1,16})?(?:\w{1,128}[ \t]{0,8}=[ \t]{0,8})?"
    r"([\w.]{1,256})[ \t]{0,8};"
)
_NAMESPACE = re.compile(r"\n[ \t]{0,64}namespace[ \t]{1,16}([\w.]{1,256})")


def imports_of(language: str, text: str) -> list[str]:
    r"""List what a file imports, each once, in the order of the text; nothing for a language without a row.

    >>> imports_of("Python", "from .a import b, c as d\nimport os.path as p")
    ['.a.b', '.a.c', 'os.path']
    >>> imports_of("C++", '#include <vector>\n#include "shape/area.h"')
    ['<vector>', '"shape/area.h"']
    >>> imports_of("Rust", "mod a;\nuse crate::b::{c, d::E};")
    ['self::a', 'crate::b::c', 'crate::b::d::E']
    """
    find = _FINDERS.get(language)
    found: dict[str, None] = {}
    for name in (
        find(f"\n{text}") if find else ()
    ):  # a pattern that starts with a line's end is searched ten times as fast
        found[name] = None
        if len(found) == MAX_IMPORTS:
            break
    return list(found)


def namespaces_of(language: str, text: str) -> list[str]:
    """List the namespaces that a C# file adds to; other languages name modules by their files.

    >>> namespaces_of("C#", "namespace Shapes.Flat;")
    ['Shapes.Flat']
    """
    return list(dict.fromkeys(_NAMESPACE.findall(f"\n{text}")))[:MAX_IMPORTS] if language == "C#" else []


def _python(text: str) -> Iterator[str]:
    for match in _PYTHON.finditer(text):
        modules, package, names = match.groups()
        for name in _listed(modules or names):
            if package is None or name == "*":
                yield package or name
            else:
                yield f"{package}{name}" if package.endswith(".") else f"{package}.{name}"


def _listed(names: str) -> Iterator[str]:
    """Split `a as b, c` with its brackets and comments into `a`, `c`."""
    plain = " ".join(line.partition("#")[0] for line in names.lstrip("(").splitlines())
    for entry in plain.split(","):
        words = entry.split()
        if words and not words[0].startswith("\\"):
            yield words[0]


def _go(text: str) -> Iterator[str]:
    for block, single in _GO.findall(text):
        yield from _GO_PATH.findall(block or single)


def _rust(text: str) -> Iterator[str]:
    for module, tree in _RUST.findall(text):
        if module:
            yield f"self::{module}"
        else:
            yield from _use_paths(tree)


def _use_paths(tree: str) -> Iterator[str]:
    """Write out the paths of a use tree: `a::{b, c::d}` is `a::b` and `a::c::d`; one pass with a stack of prefixes."""
    prefixes, path = [""], ""
    for mark in re.findall(r"[{},]|[^{},\s]{1,256}|\s", tree):
        if mark == "{":
            prefixes.append(path)
            path = prefixes[-1]
        elif mark in ",}":
            if path != prefixes[-1] and path:
                yield path.rstrip(":")
            if mark == "}" and len(prefixes) > 1:
                prefixes.pop()
            path = prefixes[-1]  # so that a group that ends leaves nothing behind it to write out
        elif not mark.isspace() and path == prefixes[-1]:
            path += mark  # what follows a path (`as name`) is not part of it
    if path != prefixes[-1]:
        yield path.rstrip(":")


def _all(pattern: re.Pattern[str]) -> Callable[[str], Iterator[str]]:
    return lambda text: iter(pattern.findall(text))


_FINDERS: dict[str, Callable[[str], Iterator[str]]] = {
    "Python": _python,
    "JavaScript": _all(_JAVASCRIPT),
    "TypeScript": _all(_JAVASCRIPT),
    "TSX": _all(_JAVASCRIPT),
    "Java": _all(_JAVA),
    "Kotlin": _all(_JAVA),
    "Go": _go,
    "C": _all(_C),
    "C++": _all(_C),
    "Objective-C": _all(_C),
    "Rust": _rust,
    "C#": _all(_CSHARP),
}
