"""The languages beside Python: a row each, and how a program of one becomes commands for a jail.

Guarantees: nothing of the caller's environment and no network is used; a missing toolchain is LanguageUnavailable with
the Debian package. A program with tests becomes two builds for two jails: the candidate, which answers calls, and the
tests, which make them against stand-ins. Neither contains the other's text, so no macro, operator, assert, class or
prototype of the candidate's is there when its answers are compared, and no expected value where it runs.
Costs: a compile of each; docs/sandbox.md has the seconds. Leaves out: functions whose types are not plain data
(NotPlain, from sandbox.signatures), exceptions as answers, and changes to arguments but of C++ and Rust references.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from sandbox.program import LanguageUnavailable, Limits, Program
from sandbox.stand_ins import go_file, halves

OTHER_SIDE_ENDED = 70
"""The exit status of a half that finds the other one gone (sandbox/runtimes)."""
TOOLCHAINS = "/toolchains"
"""Where the jail shows what sandbox.toolchains prepared."""
SEARCHED = "/usr/local/bin:/usr/bin:/bin"
RUST_CRATES = ("rand", "regex", "md5")


@dataclass(frozen=True, kw_only=True)
class Build:
    """Commands for one jail: the files to write, what compiles them, what runs."""

    files: Mapping[str, str]
    compile: tuple[tuple[str, ...], ...] = ()
    run: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    processes: int = 0  # that its tools need, where the limit is lower
    bounds_address_space: bool = True

    def text(self) -> str:
        """As sandbox.command reads it."""
        return json.dumps(
            {"files": {**self.files}, "compile": self.compile, "run": self.run, "environment": {**self.environment}}
        )


@dataclass(frozen=True, kw_only=True)
class Language:
    """One row. In commands, {tool}, {memory} (MiB) and {toolchain} (the prepared folder) are filled in."""

    tools: tuple[str, ...]
    package: str  # Debian's
    file: str
    compile: tuple[tuple[str, ...], ...] = ()
    run: tuple[str, ...]
    tests_compile: tuple[tuple[str, ...], ...] | None = None  # None: as compile
    tests_run: tuple[str, ...] | None = None
    evidence: str = "{words}"  # what the tests' program prints at a good end, as a pattern
    environment: Mapping[str, str] = field(default_factory=dict)
    processes: int = 16  # processes and threads that its tools need
    bounds_address_space: bool = True  # False: its runtime reserves far more than it uses
    needs_toolchain: bool = False  # something must be prepared by sandbox.toolchains


_JAVA_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss8m", "-Xmx{memory}m", "-XX:-UsePerfData")
_ARCHIVE = "-XX:SharedArchiveFile={toolchain}/javac.jsa"
JAVAC = ("{javac}", *(f"-J{flag}" for flag in (*_JAVA_FLAGS, _ARCHIVE)), "-nowarn", "-cp", "{toolchain}:.", "-d", ".")
CPP_FLAGS = ("-std=c++17", "-O1")
_CPP = ("{g++}", *CPP_FLAGS, "-w", "-include", "{toolchain}/wire.hpp", "main.cpp", "-o", "main")
_RUST = (
    "{rustc}",
    *("--edition", "2018", "-Awarnings", "-Copt-level=1", "-Ccodegen-units=1", "-Cprefer-dynamic"),
    *("-L", "{toolchain}", "--extern", "wire={toolchain}/libwire.rlib"),
    *(word for crate in RUST_CRATES for word in ("--extern", f"{crate}={{toolchain}}/lib{crate}.rlib")),
    *("main.rs", "-o", "main"),
)
_GO_TOOL = "{toolchain}/tool/"

LANGUAGES = {
    "cpp": Language(
        tools=("g++",),
        package="g++",
        file="main.cpp",
        compile=(_CPP,),
        run=("./main",),
        needs_toolchain=True,
    ),
    "go": Language(
        tools=("go",),
        package="golang-go golang-github-stretchr-testify-dev",
        file="main.go",
        compile=(
            (f"{_GO_TOOL}compile", "-p", "main", "-importcfg", "{toolchain}/importcfg", "-o", "main.o", "main.go"),
            (f"{_GO_TOOL}link", "-importcfg", "{toolchain}/importcfg", "-s", "-w", "-o", "main", "main.o"),
        ),
        run=("./main",),
        environment={"GOMAXPROCS": "2"},
        processes=48,
        bounds_address_space=False,
        needs_toolchain=True,
    ),
    "java": Language(
        tools=("javac", "java"),
        package="openjdk-17-jdk-headless",
        file="Main.java",
        compile=((*JAVAC, "Main.java"),),
        run=("{java}", *_JAVA_FLAGS, "-ea", "-cp", "{toolchain}:.", "Main"),
        processes=64,
        bounds_address_space=False,
        needs_toolchain=True,
    ),
    "javascript": Language(
        tools=("node",),
        package="nodejs",
        file="main.js",
        run=("{node}", "--max-old-space-size={memory}", "--stack-size=3000", "main.js"),
        processes=32,
        bounds_address_space=False,
    ),
    "rust": Language(
        tools=("rustc", "cargo"),
        package="rustc cargo librust-rand-dev librust-regex-dev librust-md5-dev",
        file="main.rs",
        compile=(_RUST,),
        run=("./main",),
        tests_compile=((*_RUST, "-Copt-level=0", "--test"),),
        tests_run=("./main", "--test-threads=1"),
        evidence=r"test result: ok\. (?:[2-9]|\d\d+) passed; 0 failed",  # one of them is ours
        processes=32,
        bounds_address_space=False,  # it maps every library it reads
        needs_toolchain=True,
    ),
    "shell": Language(
        tools=("bash",),
        package="bash",
        file="main.sh",
        run=("{bash}", "--norc", "--noprofile", "main.sh"),
    ),
}


@cache
def tools(language: str) -> Mapping[str, str]:
    """Where the tools of a language are, where a jail has them too. LanguageUnavailable names what to install."""
    row = LANGUAGES[language]
    found = {tool: _installed(tool) for tool in row.tools}
    missing = [tool for tool, path in found.items() if path is None]
    if missing:
        raise LanguageUnavailable(f"find {' and '.join(missing)} for {language}", f"apt install {row.package}")
    return {tool: path for tool, path in found.items() if path is not None}


def _installed(tool: str) -> str | None:
    """The first on the path that is in /usr: one in a private home, or behind a link to it, no jail can see."""
    found = (shutil.which(tool, path=folder) for folder in SEARCHED.split(":"))
    return next((path for path in found if path and os.path.realpath(path).startswith("/usr/")), None)


def plain(program: Program, limits: Limits, toolchain: str) -> Build:
    """A program without tests, as its own commands."""
    row, file, source = LANGUAGES[program.language], LANGUAGES[program.language].file, program.source
    if program.language == "java":
        name = _java_main_class(source)
        file = f"{name}.java"
        row = _java_row(row, name, file)
    if program.language == "go":
        source = go_file(source)
    return _build(program, row, {file: source}, limits, toolchain)


def split(program: Program, words: str, limits: Limits, toolchain: str) -> tuple[Build, Build]:
    """Candidate and tests, for two jails; the tests print `words` at a good end. NotPlain where they cannot be split."""
    row = LANGUAGES[program.language]
    parts = halves(program.language, program.source, f"{program.context}\n{program.tests}", program.entry_point, words)
    tests = replace(row, compile=row.tests_compile or row.compile, run=row.tests_run or row.run)
    if program.language == "java":
        row, tests = _java_row(row, "Wire", "Solution.java"), _java_row(row, "Report", *parts.tests)
    if program.language == "cpp":
        row = tests = replace(row, compile=((*_CPP, "-Wl,--wrap=main"),))  # both halves get their start from us
    return (
        _build(program, row, parts.candidate, limits, toolchain),
        _build(replace(program, source=""), tests, parts.tests, limits, toolchain),
    )


def _build(program: Program, row: Language, files: Mapping[str, str], limits: Limits, toolchain: str) -> Build:
    memory = max(16, limits.memory_bytes * 3 // 4 >> 20)
    values = {**tools(program.language), "memory": str(memory), "toolchain": toolchain}
    libraries = ("-lcrypto",) if program.language == "cpp" and "<openssl/" in program.source else ()

    def fill(command: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(re.sub(r"\{([\w+]+)\}", lambda match: values[match[1]], word) for word in command)

    steps = tuple(fill((*step, *libraries)) for step in row.compile)
    return Build(
        files=files,
        compile=steps,
        run=fill(row.run),
        environment=row.environment,
        processes=row.processes,
        bounds_address_space=row.bounds_address_space,
    )


def _java_row(row: Language, main: str, *files: str) -> Language:
    """Java names its files and its main class after the program's own."""
    return replace(row, compile=((*row.compile[0][:-1], *files),), run=(*row.run[:-1], main))


def _java_main_class(source: str) -> str:
    """The public class, which must be its file's name; else the last one that opens before a main."""
    before = re.split(r"\bstatic\s+(?:final\s+)?void\s+main\b", source, maxsplit=1)[0]
    names = re.findall(r"\bpublic\s+(?:final\s+)?class\s+(\w+)", source) or re.findall(r"\bclass\s+(\w+)", before)
    return names[-1] if names else "Main"
