"""The files of a repository in the order in which a reader meets what they use: a file after the files that it imports.

Documentation stands first, README before all: it says what the code is for, and everything after can be read with that
in mind. Build files stand after the sources that they list. Between them, sources in topological order of their imports;
a file that nothing holds back follows the last file it needed, else the order of paths decides. A cycle is broken at
the file with the fewest imports still to come (DeepSeek-Coder, arXiv 2401.14196, algorithm 1). Languages that cannot
import each other follow one another, the largest first.

A long repository is cut between files into parts, and between languages; a part becomes one token document. No text is
changed here: columns say which part a file belongs to. One repository lies in one shard, so shards are independent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards, sieve
from corpora.code.imports import imports_of, namespaces_of
from corpora.code.modules import FAMILIES, Modules, resolve
from corpora.code.topological import topological

if TYPE_CHECKING:
    import pyarrow as pa

    from corpora.engine import Engine

DOCUMENTATION = frozenset({"AsciiDoc", "Markdown", "Org", "RDoc", "reStructuredText", "Text"})
BUILD = frozenset(
    {
        "CMake",
        "Dockerfile",
        "Gradle",
        "Go Module",
        "INI",
        "JSON",
        "M4Sugar",
        "Makefile",
        "Maven POM",
        "Meson",
        "TOML",
        "YAML",
    }
)
BUILD_FILES = frozenset({"setup.py", "build.rs", "conanfile.py", "gulpfile.js", "webpack.config.js", "package.json"})
"""Files that a language does not tell."""


class Level(Enum):
    """What one token document is."""

    FILE = "file"
    REPOSITORY = "repository"


_ALONE = frozenset({records.COMMITS, records.ISSUES})
"""Domains whose documents do not belong together as the files of a repository do."""


@dataclass(frozen=True, kw_only=True)
class OrderConfig:
    """How files come together."""

    level: Level = Level.REPOSITORY
    """Files alone, in the order they came in, or the files of a repository together."""
    max_part_bytes: int = 131_072
    """Bytes of text of a part; a longer file is a part alone. 32K tokens, the length at which Qwen2.5-Coder trains on
    repositories (arXiv 2409.12186, 3.2.2)."""

    def __post_init__(self) -> None:
        if self.max_part_bytes < 1:
            raise ValueError(f"OrderConfig.max_part_bytes must be at least 1, got {self.max_part_bytes}")


@dataclass(frozen=True, kw_only=True)
class File:
    """What the order depends on."""

    path: str
    language: str
    bytes: int
    imports: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """Neighbouring files, by their number, and the language whose token files they go to."""

    files: tuple[int, ...]
    language: str


def order_repositories(out: Path, *, documents: Path, config: OrderConfig, engine: Engine) -> dict[str, object]:
    """Put the files of every repository in order and say which make one token document; every document is kept."""
    return sieve.add_up(out, engine.map_shards(_order_shard, shards.shard_paths(documents / "kept"), out, config))


def _order_shard(path: Path, out: Path, config: OrderConfig) -> dict[str, int]:
    if (counts := sieve.done(out, path.name)) is not None:
        return counts
    table = shards.read(path, records.DOCUMENT)
    files = [_file(row) for row in table.select(["path", "language", "text"]).to_pylist()]
    counts = dict.fromkeys(("repositories", "parts", "imports", "edges", "edges_in_order"), 0)
    parts: list[Part] = []
    for (*_, domain), members in _repositories(table).items() if config.level is Level.REPOSITORY else ():
        if domain in _ALONE:
            parts += [Part((row,), files[row].language) for row in members]
            continue
        found, more = arrange([files[row] for row in members], config.max_part_bytes)
        parts += [Part(tuple(members[row] for row in part.files), part.language) for part in found]
        counts = {name: value + more[name] for name, value in counts.items()}
    shards.write(out / "kept" / path.name, _arranged(table, parts), records.ARRANGED)
    counts |= {"kept": len(table), "bytes": sum(file.bytes for file in files)}
    shards.write_json(out / "counts" / f"{path.name}.json", counts)
    return counts


def _file(row: dict[str, Any]) -> File:
    language, text = row["language"], row["text"]
    imports, namespaces = tuple(imports_of(language, text)), tuple(namespaces_of(language, text))
    size = len(text.encode())
    return File(path=row["path"], language=language, bytes=size, imports=imports, namespaces=namespaces)


def _repositories(table: pa.Table) -> dict[tuple[str, ...], list[int]]:
    """Group the rows of a shard by repository, in the order in which they come; a split or domain is never mixed."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, key in enumerate(table.select(["source", "repository", "split", "domain"]).to_pylist()):
        groups[tuple(key.values())].append(row)
    return groups


def _arranged(table: pa.Table, parts: Sequence[Part]) -> pa.Table:
    """Put the rows in the order of the parts and add the columns; without parts, rows stay as they are."""
    import pyarrow as pa

    numbers: list[int | None] = [number for number, part in enumerate(parts) for _ in part.files]
    languages: list[str | None] = [part.language for part in parts for _ in part.files]
    if parts:
        table = table.take(pa.array([row for part in parts for row in part.files], pa.int64()))
    known: dict[str, list[Any]] = {"part": numbers, "part_language": languages} if parts else {}
    for field in records.ARRANGED:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.array(known.get(field.name, [None] * len(table)), field.type))
    return table


def arrange(files: Sequence[File], max_part_bytes: int) -> tuple[list[Part], dict[str, int]]:
    """Order and cut one repository; count what it took."""
    by_path = sorted(range(len(files)), key=lambda row: (files[row].path.count("/"), files[row].path))
    documentation = [row for row in by_path if _is_documentation(files[row])]
    build = [row for row in by_path if _is_build(files[row])]
    families: dict[str, list[int]] = defaultdict(list)
    for row in sorted(set(range(len(files))).difference(documentation, build), key=lambda row: files[row].path):
        families[_family(files[row])].append(row)
    largest_first = sorted(families, key=lambda name: (-sum(files[row].bytes for row in families[name]), name))
    counts = {"repositories": 1, "parts": 0, "imports": 0, "edges": 0, "edges_in_order": 0}
    runs = []
    for name in largest_first:
        needs = _needs([files[row] for row in families[name]])
        order = topological(needs)
        runs.append([families[name][number] for number in order])
        counts["imports"] += sum(len(files[row].imports) for row in families[name])
        counts["edges"] += sum(len(need) for need in needs)
        counts["edges_in_order"] += _in_order(order, needs)
    documentation.sort(key=lambda row: not _name(files[row]).startswith("readme"))
    runs[:1] = [documentation + (runs[0] if runs else []) + build]
    parts = [part for run in runs for part in cut(run, files, max_part_bytes)]
    return parts, counts | {"parts": len(parts)}


def _needs(files: Sequence[File]) -> list[set[int]]:
    """Say which files of a family each of them imports, by number."""
    namespaces: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for namespace in file.namespaces:
            namespaces[namespace].append(file.path)
    modules = Modules((file.path for file in files), namespaces)
    numbers = {file.path: number for number, file in enumerate(files)}
    return [
        {numbers[path] for name in file.imports for path in resolve(file.language, file.path, name, modules)}
        for file in files
    ]


def _in_order(order: Sequence[int], needs: Sequence[set[int]]) -> int:
    """Count the imports whose file comes first."""
    places = {number: place for place, number in enumerate(order)}
    return sum(places[other] < places[number] for number, need in enumerate(needs) for other in need)


def cut(run: Sequence[int], files: Sequence[File], max_part_bytes: int) -> list[Part]:
    """Cut a run of files into parts of at most `max_part_bytes`, unless one file is longer."""
    parts: list[list[int]] = []
    size = 0
    for row in run:
        if not parts or size + files[row].bytes > max_part_bytes:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += files[row].bytes
    return [Part(tuple(part), _language([files[row] for row in part])) for part in parts]


def _language(files: Sequence[File]) -> str:
    """Give the language with most bytes, of sources where there are any."""
    sources = [file for file in files if not (_is_documentation(file) or _is_build(file))] or files
    sizes: Counter[str] = Counter()
    for file in sources:
        sizes[file.language] += file.bytes
    return min(sizes, key=lambda name: (-sizes[name], name))


def _name(file: File) -> str:
    return file.path.rpartition("/")[2].lower()


def _is_documentation(file: File) -> bool:
    return file.language in DOCUMENTATION


def _is_build(file: File) -> bool:
    return file.language in BUILD or _name(file) in BUILD_FILES


def _family(file: File) -> str:
    return FAMILIES.get(file.language, file.language)
