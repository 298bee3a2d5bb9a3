"""A program with tests as two programs for two jails: the candidate, which answers, and the tests, which ask.

Where a test calls a function of the candidate's it finds a stand-in, which sends the arguments through the calls socket
and returns what comes back (sandbox/runtimes has that for each language). Guarantees: the tests' text is as given; of
the candidate's text only names and plain types get there. A name that the language or the tests define is never taken.
Leaves out: functions whose types are not plain data, and tests that call none: NotPlain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.signatures import Function, NotPlain, functions

Files = dict[str, str]
_RUNTIMES = Path(__file__).parent / "runtimes"


@dataclass(frozen=True)
class Halves:
    """The files of each."""

    candidate: Files
    tests: Files


def runtime(name: str) -> str:
    """The text of a file that both halves of a language share."""
    return (_RUNTIMES / name).read_text(encoding="utf-8")


def halves(language: str, source: str, tests: str, entry_point: str | None, words: str) -> Halves:
    """Both halves; the tests print `words` at a good end."""
    if language in {"javascript", "shell"}:
        return (_javascript if language == "javascript" else _shell)(source, tests, entry_point, words)
    return _TYPED[language](functions(language, source, tests, entry_point), source, tests, words)


def _lines(*parts: str | Iterable[str]) -> str:
    return "\n".join("\n".join([part] if isinstance(part, str) else part) for part in parts) + "\n"


def _javascript(source: str, tests: str, entry_point: str | None, words: str) -> Halves:
    definition = r"\b(?:const|let|var|function(?:\s*\*)?|class)\s+([\w$]+)"
    own = set(re.findall(definition, tests))
    called = set(re.findall(r"(?<![\w$.])([\w$]+)", tests))
    names = [name for name in dict.fromkeys(re.findall(definition, source)) if name in called - own]
    if not names:
        raise NotPlain("the tests call no function that the program defines")
    # what the language has, such as JSON or Math, stays the language's
    guards = {name: "" if name == entry_point else f'if (!("{name}" in globalThis)) ' for name in names}
    stands = [f'{guard}globalThis.{name} = wire.call("{name}");' for name, guard in guards.items()]
    wire = runtime("wire.js")
    return Halves(
        {"main.js": _lines(source, ";{", wire, "wire.serve((name) => eval(name));", "}")},
        {"main.js": _lines("{", wire, f"wire.judge({json.dumps(words)});", stands, "}", tests)},
    )


_EVALUATED = re.compile(
    r"\(\(|\blet\b|\beval\b|\b(?:declare|local|typeset) -\w*i|\[\[.*\s-(?:eq|ne|lt|le|gt|ge|v)\b|\bprintf -v\b"
)
"""What reads a text as arithmetic or as commands, in Bash."""
_SHELL_HEADER = """
set -euf -o pipefail
trap 'echo "failed: $BASH_COMMAND" >&2' ERR
IFS=  # output without quotes is one word of a plain [ ]: nothing splits it
"""


def _shell(source: str, tests: str, entry_point: str | None, words: str) -> Halves:
    definition = re.compile(r"^[ \t]*(?:function[ \t]+)?(\w+)[ \t]*\([ \t]*\)|^[ \t]*function[ \t]+(\w+)", re.MULTILINE)
    called = set(re.findall(r"\w+", tests))
    names = [name for name in dict.fromkeys(map("".join, definition.findall(source))) if name in called]
    if not names:
        raise NotPlain("the tests call no function that the program defines")
    # what the shell or the system has, such as test or grep, stays theirs
    guards = {name: "" if name == entry_point else f"type -t {name} >/dev/null || " for name in names}
    stands = [f'{guard}{name}() {{ wire_call {name} "$@"; }}' for name, guard in guards.items()]
    if _EVALUATED.search(tests):
        raise NotPlain(
            "the tests evaluate what they compare, which would run what a candidate prints: compare with [ ]"
        )
    wire = runtime("wire.sh")
    return Halves(
        {"main.sh": _lines(wire, source, "wire_serve")},
        {"main.sh": _lines(wire, stands, _SHELL_HEADER, tests, f"[ -e /tmp/called ] && printf '%s' {words}")},
    )


def _numbered(function: Function) -> list[tuple[str, str]]:
    """Each parameter's type with a name of ours."""
    return [(kind, f"a{index}") for index, kind in enumerate(function.parameters)]


def _cpp(found: list[Function], source: str, tests: str, words: str) -> Halves:
    # C's own strlen(const char *) would be chosen before a stand-in strlen(string): so its calls are renamed
    names = {function.name for function in found}
    renamed = {name for name in names if not re.search(rf"(?:\.|->|::)\s*{name}\b", tests)}
    stands = [
        _cpp_stand_in(number, function, f"wire_to_{function.name}" if function.name in renamed else function.name)
        for number, function in enumerate(found)
    ]
    define = [f"#define {name} wire_to_{name}" for name in sorted(renamed)]
    undefine = [f"#undef {name}" for name in sorted(renamed)]
    handlers = [_cpp_handler(function) for function in found]
    head = 'extern "C" int __wrap_main(int count, char **words) {'  # the linker sends main's caller here
    serve = (head, "using namespace std;", "return wire::serve({", handlers, "});", "}")
    print_words = f'if (status == 0 && wire::num_calls) {{ std::fputs("{words}", stdout); std::fflush(stdout); }}'
    real = 'extern "C" int __real_main(int, char **);'
    judge = (real, head, "int status = __real_main(count, words);", print_words, "return status;", "}")
    return Halves(
        {"main.cpp": _lines(source, *serve)},
        {"main.cpp": _lines("using namespace std;", stands, define, tests, undefine, *judge)},
    )


def _cpp_stand_in(number: int, function: Function, name: str) -> str:
    parameters = _numbered(function)
    has_result = function.result != "void"
    return _lines(
        f"{function.result} {name}({', '.join(f'{kind} {name}' for kind, name in parameters)}) {{",
        f"auto wire_reply = wire::call({', '.join([str(number), *(name for _, name in parameters)])});",
        f"auto wire_result = wire_reply.get<{function.result}>();" if has_result else "",
        [f"{name} = wire_reply.get<{kind[:-1]}>();" for kind, name in parameters if kind.endswith("&")],
        "return wire_result;" if has_result else "",
        "}",
    )


def _cpp_handler(function: Function) -> str:
    parameters = [(kind.rstrip("&"), name) for kind, name in _numbered(function)]
    call = f"::{function.name}({', '.join(name for _, name in parameters)})"
    return _lines(
        "[](wire::Reader &wire_in, wire::Bytes &wire_out) {",
        [f"auto {name} = wire_in.get<{kind}>();" for kind, name in parameters],
        f"{call};" if function.result == "void" else f"wire::put<{function.result}>(wire_out, {call});",
        [f"wire::put(wire_out, {name});" for kind, name in _numbered(function) if kind.endswith("&")],
        "},",
    )


_RUST_HEADER = """#![allow(warnings)]
use std::any::{Any, TypeId};
use std::cmp::{self, max, min};
use std::collections::*;
use rand::Rng;
use regex::Regex;
"""
_RUST_LAST = (
    "#[cfg(test)] mod zzzz { #[test] fn asked() { assert!(::wire::num_calls() > 0) } }"  # run in order of names
)


def _rust(found: list[Function], source: str, tests: str, _words: str) -> Halves:
    stands = [_rust_stand_in(number, function) for number, function in enumerate(found)]
    handlers = [_rust_handler(function) for function in found]
    names = ("pub fn wire_serve() {", "use std::{any::Any, collections::*};")
    main = "#![allow(warnings)]\nmod candidate;\nfn main() { candidate::wire_serve() }\n"
    return Halves(
        {"main.rs": main, "candidate.rs": _lines(source, *names, "::wire::serve(&[", handlers, "])", "}")},
        {"main.rs": _lines(_RUST_HEADER, stands, tests, _RUST_LAST)},
    )


def _rust_stand_in(number: int, function: Function) -> str:
    parameters = _numbered(function)
    result = _rust_static(function.result)
    return _lines(
        f"fn {function.name}({', '.join(f'{name}: {kind}' for kind, name in parameters)}) -> {result} {{",
        f"let mut reply = ::wire::call({number}, |out| {{",
        [f"::wire::Plain::put(&{_rust_owned(kind).copied.format(name)}, out);" for kind, name in parameters],
        f"}});\nlet result: {result} = reply.get();",
        [f"*{name} = reply.get();" for kind, name in parameters if kind.startswith("& mut ")],
        "result\n}",
    )


def _rust_handler(function: Function) -> str:
    parameters = [(_rust_owned(kind), name) for kind, name in _numbered(function)]
    arguments = ", ".join(owned.passed + name for owned, name in parameters)
    return _lines(
        "|request, reply| {",
        [f"let mut {name}: {owned.kind} = request.get();" for owned, name in parameters],
        f"let result: {_rust_static(function.result)} = {function.name}({arguments});",
        "::wire::Plain::put(&result, reply);",
        [f"::wire::Plain::put(&{name}, reply);" for owned, name in parameters if owned.passed == "&mut "],
        "},",
    )


@dataclass(frozen=True)
class _Owned:
    """What crosses for a Rust parameter: its owner's type, how the function gets it, how a stand-in copies it."""

    kind: str
    passed: str = ""
    copied: str = "{}"


def _rust_owned(kind: str) -> _Owned:
    if kind == "& str" or not kind.startswith("& "):
        return _Owned(_rust_static(kind))
    passed = "&mut " if kind.startswith("& mut ") else "&"
    inner = _rust_static(kind.removeprefix("& ").removeprefix("mut "))
    if inner.startswith("dyn "):
        raise NotPlain(f"a borrowed value of any type: {kind}")
    if inner.startswith("["):
        return _Owned(f"Vec<{inner[1:-1]}>", passed, "{}.to_vec()")
    return _Owned(inner, passed, "*{}")


def _rust_static(kind: str) -> str:
    """Text that crosses is kept for ever."""
    return kind.replace("& str", "&'static str") or "()"


_GO_IMPORTS = """
bufio bytes container/heap container/list container/ring context crypto/md5 crypto/sha1 crypto/sha256 encoding/binary
encoding/hex encoding/json errors fmt hash/fnv io math math/big math/bits math/cmplx math/rand os reflect regexp sort
strconv strings sync sync/atomic testing time unicode unicode/utf8 github.com/stretchr/testify/assert
github.com/stretchr/testify/require
"""
"""What a test may use without importing it; by its last word."""


def go_file(source: str, *more: str, imports: Iterable[str] = ()) -> str:
    """One file of Go: the imports of its parts brought together, those that nothing uses left out."""
    declared = re.compile(r"^[ \t]*import[ \t]*(?:\(([^()]*)\)|([^\n(]*))[ \t]*;?", re.MULTILINE)
    specs = [line.strip() for found in declared.findall(source) for line in re.split(r"[\n;]", "".join(found))]
    specs = [spec for spec in specs if re.fullmatch(r'([\w.]+\s+)?("[^"\n]+"|`[^`\n]+`)', spec)]
    body = re.sub(r"^[ \t]*package[ \t]+\w+.*$", "", declared.sub("", source), count=1, flags=re.MULTILINE)
    specs += [f'"{path}"' for path in imports]
    named = {"", *re.findall(r"\b(\w+)\.", body)}
    used = [spec for spec in dict.fromkeys(specs) if _go_name(spec) in named]
    return _lines("package main", "import (", used, 'wire "sandbox/wire"' if more else "", ")", body, more)


def _go_name(spec: str) -> str:
    """What an import is called in its file; "" where that does not tell whether it is used."""
    alias, _, path = spec.rpartition(" ")
    return alias.strip("_. \t") or ("" if alias else re.sub(r"/v\d+$", "", path.strip('"`')).rpartition("/")[2])


def _go(found: list[Function], source: str, tests: str, words: str) -> Halves:
    source = re.sub(r"^func main\s*\(", "func wireUnusedMain(", source, flags=re.MULTILINE)
    stands = [_go_stand_in(number, function) for number, function in enumerate(found)]
    serve = f"func main() {{ wire.Serve({', '.join(function.name for function in found)}) }}"
    entries = [f'{{Name: "{name}", F: {name}}},' for name in re.findall(r"^func (Test\w*)\(", tests, re.MULTILINE)]
    judge = f'func main() {{ wire.Judge("{words}", []wire.Test{{{"".join(entries)}}}) }}'
    return Halves(
        {"main.go": go_file(source, serve)},
        {"main.go": go_file(tests, *stands, judge, imports=_GO_IMPORTS.split())},
    )


def _go_stand_in(number: int, function: Function) -> str:
    parameters = _numbered(function)
    results = [(kind, f"r{index}") for index, kind in enumerate(filter(None, function.result.split(", ")))]
    return _lines(
        f"func {function.name}({', '.join(f'{name} {kind}' for kind, name in parameters)}) "
        f"({', '.join(f'{name} {kind}' for kind, name in results)}) {{",
        f"wire.Call({number}, []any{{{', '.join('&' + name for _, name in parameters)}}}"
        f"{''.join(', &' + name for _, name in results)})",
        "return",
        "}",
    )


_JAVA_HEADER = """
import java.math.*;
import java.security.*;
import java.util.*;
import java.util.function.*;
import java.util.stream.*;
"""


def _java(found: list[Function], source: str, tests: str, words: str) -> Halves:
    report = f'Main.main(new String[0]); if (Wire.numCalls > 0) System.out.print("{words}"); System.out.flush();'
    report = f"public class Report {{ public static void main(String[] none) throws Throwable {{ {report} }} }}"
    stand_in = _lines(_JAVA_HEADER, "public class Solution {", [_java_stand_in(function) for function in found], "}")
    files = {"Solution.java": stand_in, "Main.java": _lines(_JAVA_HEADER, tests), "Report.java": report}
    return Halves({"Solution.java": source}, files)


def _java_stand_in(function: Function) -> str:
    heads = ", ".join(f"{kind} {name}" for kind, name in _numbered(function))
    arguments = "".join(f", (Object) {name}" for _, name in _numbered(function))
    returns = "" if function.result == "void" else "return "
    head = f"public {function.prefix} {function.result} {function.name}({heads})"
    return f'{head} {{ {returns}Wire.call("{function.name}"{arguments}); }}'


_TYPED: dict[str, Callable[[list[Function], str, str, str], Halves]] = {
    "cpp": _cpp,
    "go": _go,
    "java": _java,
    "rust": _rust,
}
