"""Which files of a repository an import means, by the rules of its language as far as paths tell.

Nothing is read: names become paths, and paths are looked up. Search paths that a build file sets are not known, so a
name of several parts also finds the nearest file whose path ends with it. A lookup costs the depth of a path, and no
name finds more than `MAX_FILES` files. What lies outside the repository finds nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

MAX_FILES = 16
"""Files that one name may mean: those of a Go package or a C# namespace, the first by path."""
_MAX_DEPTH = 16
"""Parts of a path or a name that are looked at, from its end."""
_SCRIPTS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue")
_PYTHONS = (".py", ".pyi", "/__init__.py", "/__init__.pyi")
_RUST_ROOTS = ("lib.rs", "main.rs", "mod.rs")

_C_LIBRARY = re.compile(
    r"(?:assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic"
    r"|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|tgmath|threads|time|uchar|unistd|wchar|wctype)\.h"
)
"""Headers that a project has only where it is a C library itself, and then in a folder `include`."""

FAMILIES = {
    "Python": "Python",
    "JavaScript": "JavaScript",
    "TypeScript": "JavaScript",
    "TSX": "JavaScript",
    "Java": "Java",
    "Kotlin": "Java",
    "Go": "Go",
    "C": "C",
    "C++": "C",
    "Objective-C": "C",
    "Rust": "Rust",
    "C#": "C#",
}
"""Languages whose files import each other; any other language is a family of its own, without imports."""


class Modules:
    """The files of one family in one repository, found by the names under which others import them."""

    def __init__(self, paths: Iterable[str], namespaces: Mapping[str, Sequence[str]] | None = None) -> None:
        """Index `paths`; `namespaces` names the files of each C# namespace."""
        ordered = sorted(paths, key=lambda path: (path.count("/"), path))
        self.paths = frozenset(ordered)
        self.namespaces = dict(namespaces or {})
        self.folders: dict[str, list[str]] = defaultdict(list)
        self._endings: dict[str, list[str]] = defaultdict(list)
        self._roots: dict[str, tuple[str, ...]] = {}
        for path in ordered:
            if len(self.folders[posixpath.dirname(path)]) < MAX_FILES:
                self.folders[posixpath.dirname(path)].append(path)
            for ending in _endings(path):
                if len(self._endings[ending]) < MAX_FILES:
                    self._endings[ending].append(path)

    def python_roots(self, importer: str) -> tuple[str, ...]:
        """List the folders in which Python looks for a module, each as "" or "folder/": those around it that are no package."""
        folder = posixpath.dirname(importer)
        if folder not in self._roots:
            around = (f"{each}/" if each else "" for each in _ancestors(importer))
            self._roots[folder] = tuple(each for each in around if f"{each}__init__.py" not in self.paths)
        return self._roots[folder]

    def first(self, candidates: Iterable[str]) -> list[str]:
        """Give the first candidate that is a file."""
        return next(([path] for path in candidates if path in self.paths), [])

    def ending(self, endings: Iterable[str], importer: str) -> list[str]:
        """Give the file whose path ends with one of `endings` and that shares most folders with the importer."""
        for ending in endings:
            if found := self._endings.get(ending):
                return [max(found, key=lambda path: len(posixpath.commonprefix([path, importer])))]
        return []


def resolve(language: str, path: str, name: str, modules: Modules) -> list[str]:
    """List the files that `name`, imported by the file at `path`, means; never the file itself.

    >>> resolve("Python", "shop/cart.py", ".price.total", Modules(["shop/cart.py", "shop/price.py"]))
    ['shop/price.py']
    >>> resolve("TypeScript", "src/a.ts", "../lib/b.js", Modules(["src/a.ts", "lib/b.ts"]))
    ['lib/b.ts']
    """
    find = _RESOLVERS.get(FAMILIES.get(language, ""))
    return [found for found in find(path, name, modules) if found != path] if find else []


def _endings(path: str) -> Iterator[str]:
    parts = path.split("/")[-_MAX_DEPTH:]
    return ("/".join(parts[start:]) for start in range(len(parts)))


def _ancestors(path: str) -> Iterator[str]:
    """List the folders around a file, the nearest first, the root of the repository, "", last."""
    folder = posixpath.dirname(path)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _join(*parts: str) -> str:
    """Join and normalize; what leaves the repository is no path of it."""
    return posixpath.normpath(posixpath.join(*parts)).removeprefix("./") if any(parts) else ""


def _python(path: str, name: str, modules: Modules) -> list[str]:
    parts = name.lstrip(".").split(".")[:_MAX_DEPTH]
    level = len(name) - len(name.lstrip("."))
    for target in (parts, parts[:-1]):  # `from a import b`: b is a module, or a name in a
        if level:
            base = _join(posixpath.dirname(path), *[".."] * (level - 1))
            found = modules.first(_python_files(_join(base, *target)))
        else:
            found = _absolute_python(path, "/".join(target), modules) if target else []
        if found:
            return found
    return []


def _absolute_python(path: str, target: str, modules: Modules) -> list[str]:
    """Look beside and above the importer, then for a package of that name anywhere."""
    candidates = (root + file for root in modules.python_roots(path) for file in _python_files(target))
    endings = (file for file in _python_files(target) if "/" in file)
    return modules.first(candidates) or modules.ending(endings, path)


def _python_files(target: str) -> Iterator[str]:
    return (f"{target}{suffix}".lstrip("/") for suffix in _PYTHONS)


def _javascript(path: str, name: str, modules: Modules) -> list[str]:
    if name.startswith("."):
        return modules.first(_script_files(_join(posixpath.dirname(path), name)))
    if name[:2] in ("@/", "~/"):  # the usual alias of the folder of sources
        targets = (_join(folder, source, name[2:]) for folder in _ancestors(path) for source in ("src", ""))
        return modules.first(file for target in targets for file in _script_files(target))
    return []


def _script_files(target: str) -> Iterator[str]:
    yield target
    stem, suffix = posixpath.splitext(target)
    for base in (target, stem) if suffix in _SCRIPTS else (target,):  # TypeScript imports `a.ts` as `a.js`
        yield from (base + end for end in _SCRIPTS)
    yield from (_join(target, "index" + end) for end in _SCRIPTS)


def _java(path: str, name: str, modules: Modules) -> list[str]:
    parts = name.split(".")[-_MAX_DEPTH:]
    for target in (parts, parts[:-1]):  # a class, or a member or inner class of one
        if len(target) > 1:
            found = modules.ending(("/".join(target) + suffix for suffix in (".java", ".kt")), path)
            if found:
                return found
    return []


def _go(_path: str, name: str, modules: Modules) -> list[str]:
    """Find the package's folder by the end of its name: the module's own name, before it, is in a file we may not have."""
    parts = name.split("/")[:_MAX_DEPTH]
    starts = range(len(parts)) if "." in parts[0] else range(min(2, len(parts) - 1))  # "fmt" is no module's name
    folders = (folder for start in starts if (folder := "/".join(parts[start:])) in modules.folders)
    files = modules.folders[next(folders, "")] if name else []
    return [file for file in files if "/" in file and not file.endswith("_test.go")]


def _c(path: str, name: str, modules: Modules) -> list[str]:
    target = name[1:-1]
    if name.startswith('"'):
        beside = modules.first([_join(posixpath.dirname(path), target)])
        return beside or modules.ending([target.removeprefix("./").replace("../", "")], path)
    found = modules.ending([target], path)
    own = not found or not _C_LIBRARY.fullmatch(target) or posixpath.dirname(found[0]).endswith("include")
    return found if own else []


def _rust(path: str, name: str, modules: Modules) -> list[str]:
    folder, file = posixpath.split(path)
    module = folder if file in _RUST_ROOTS else _join(folder, file.removesuffix(".rs"))
    parts = [part for part in name.split("::")[:_MAX_DEPTH] if part not in ("*", "")]
    if not parts or parts[0] not in ("crate", "self", "super"):
        return []
    if parts[0] == "crate":
        roots = (
            f for f in _ancestors(path) if _join(f, "lib.rs") in modules.paths or _join(f, "main.rs") in modules.paths
        )
        module, parts = next(roots, folder), parts[1:]
    while parts and parts[0] in ("self", "super"):
        module = posixpath.dirname(module) if parts[0] == "super" else module
        parts = parts[1:]
    targets = (_join(module, *parts[:count]) for count in range(len(parts), 0, -1))
    return modules.first(file for target in targets for file in (f"{target}.rs", f"{target}/mod.rs"))


def _csharp(_path: str, name: str, modules: Modules) -> list[str]:
    return list(modules.namespaces.get(name, ()))[:MAX_FILES]


_RESOLVERS: dict[str, Callable[[str, str, Modules], list[str]]] = {
    "Python": _python,
    "JavaScript": _javascript,
    "Java": _java,
    "Go": _go,
    "C": _c,
    "Rust": _rust,
    "C#": _csharp,
}
