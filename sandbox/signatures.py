"""Which functions of a program its tests call, and of what types, read from the text of the program.

The tests of a compiled language run in a program of their own, against stand-ins that ask the candidate. A stand-in is
made of these signatures. Guarantees: a type consists of allow-listed words only, so that nothing a candidate writes
reaches the tests' compiler but names of plain types; a function that the tests define, or that belongs to the language
(an `abs` of the candidate's own would decide `abs(f(x) - y) < 1e-4`), is not taken. Time is linear in the text.
Leaves out: types that the program itself defines, templates, functions that return functions: NotPlain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMMENT, _TEXT = r"//[^\n]*|/\*(?:.*?\*/|.*)", r"\"(?:\\.|[^\"\\\n])*\"?"
_C_NOISE = re.compile(rf"{_COMMENT}|{_TEXT}|'(?:\\.|[^'\\\n])'|^[ \t]*#[^\n]*", re.DOTALL | re.MULTILINE)
_GO_NOISE = re.compile(rf"{_COMMENT}|{_TEXT}|`[^`]*`?|'(?:\\.|[^'\\\n]){{1,10}}'", re.DOTALL)

MAX_FUNCTIONS, MAX_HEAD = 20, 2000  # that tests call; characters from a name to its brace
_CPP_TYPES = """
void bool char short int long float double signed unsigned size_t int8_t int16_t int32_t int64_t uint8_t uint16_t
uint32_t uint64_t string vector list deque set multiset unordered_set map unordered_map pair tuple optional any boost
"""
_RUST_TYPES = """
bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 String str Vec VecDeque Option Result HashMap
BTreeMap HashSet BTreeSet Box dyn Any static
"""
_GO_TYPES = """
bool string int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 byte rune any interface map
"""
_JAVA_TYPES = """
void boolean char byte short int long float double Boolean Character Byte Short Integer Long Float Double Object String
Number List ArrayList Map HashMap Set Optional Collection BigInteger BigDecimal
"""
_OF_THE_LANGUAGE = {
    "cpp": """
        main assert abs fabs fabsf labs llabs fmod pow powf sqrt cbrt exp log log2 log10 sin cos tan floor ceil round
        lround trunc isnan isinf max min minmax equal mismatch to_string stoi stod count find accumulate is_permutation
        lexicographical_compare includes swap size begin end sort reverse make_pair make_tuple get any_cast printf puts
        putchar strcmp strncmp memcmp memcpy memset isalpha isdigit isspace isupper islower tolower toupper rand srand
        time clock not and or exit quick_exit _Exit abort atexit if for while switch catch return sizeof typeid
    """,
    "rust": "main drop Some None Ok Err Box vec assert",
    "go": """
        main init append cap close complex copy delete imag len make new panic print println real recover assert require
        errors fmt math os reflect sort strconv strings testing time
    """,
    "java": "main",
}


class NotPlain(Exception):
    """The tests call what cannot be asked across a wall. The text says what and why."""


@dataclass(frozen=True)
class Function:
    """A function that tests call. Types are the language's own text, `static` and reference marks in Java and C++."""

    name: str
    result: str  # "" or "void": none
    parameters: tuple[str, ...]
    prefix: str = ""  # what stands before the result: "static" in Java


def functions(language: str, source: str, tests: str, entry_point: str | None) -> list[Function]:
    """The functions of a program that its tests call. NotPlain where there is none, or one of them cannot be asked.

    A name of the language's own is taken when it is the entry point.
    """
    find = _FINDERS[language]
    noise = _GO_NOISE if language == "go" else _C_NOISE
    source, tests = noise.sub(" ", source), noise.sub(" ", tests)
    defined_in_tests = {match["name"] for match in re.finditer(_HEADS[language], tests)}
    called = set(re.findall(r"\b([^\W\d]\w*)\s*\(", tests))
    wanted = called - defined_in_tests - (_TYPES[language] | set(_OF_THE_LANGUAGE[language].split()) - {entry_point})
    definitions = [definition for definition in _definitions(language, source) if definition[0] in wanted]
    if not definitions:
        raise NotPlain("the tests call no function that the program defines")
    if len(definitions) > MAX_FUNCTIONS or any(end - start > MAX_HEAD for _, start, end in definitions):
        raise NotPlain("too many functions, or parameters")
    found = [find(source, *definition) for definition in definitions]
    return list(dict.fromkeys(found))


def _definitions(language: str, text: str) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of the head of each function, up to its brace: at the top level, in Java one below it."""
    depth, wanted = 0, language == "java"
    for match in re.finditer(_HEADS[language] + r"|[{}]", text):
        if match[0] in "{}":
            depth += 1 if match[0] == "{" else -1
            continue
        if depth == wanted:
            yield match["name"], match.start(), match.end()
        depth += match[0].count("{") - match[0].count("}")


# every loop ends at a parenthesis, or is bounded: hostile text must not make them slow
_HEADS = {
    "cpp": r"\b(?P<name>[^\W\d]\w*)\s*\([^(){};]*\)\s*(?:noexcept\s*)?\{",
    "java": r"\b(?P<name>[^\W\d]\w*)\s*\([^(){};]*\)\s*(?:throws\s[\w.,\s]+)?\{",
    "rust": r"\bfn\s+(?P<name>\w+)(?:<[^(){};]{0,99}>)?\s*\((?:[^(){};]|\([^(){};]{0,99}\)){0,999}\)"
    r"\s*(?:->(?:[^(){};]|\([^(){};]{0,99}\)){0,99})?\{",
    "go": r"\bfunc\s+(?P<name>\w+)\s*\((?:interface\s*\{\s*\}|[^(){}])*\)"
    r"\s*(?:\((?:interface\s*\{\s*\}|[^(){}])*\)|(?:interface\s*\{\s*\}|[^(){}\n])*)\s*\{",
}


def _cpp(source: str, name: str, start: int, end: int) -> Function:
    aliases = _cpp_aliases(source)

    def plain(text: str) -> str:
        return _plain("cpp", _replace(text, aliases).replace("std::", ""), name)

    before = re.split(r"[;{}]", source[max(0, start - 500) : start])[-1]
    result = re.sub(r"\b(inline|static|const|constexpr)\b|&", " ", before)
    inside = source[start:end].partition("(")[2].rpartition(")")[0]
    return Function(name, plain(result), tuple(_cpp_parameter(plain, part) for part in _split(inside)))


def _cpp_aliases(source: str) -> dict[str, str]:
    found = re.findall(r"\btypedef\s+([\w:<>, ]{1,99}?)\s*\b(\w+)\s*;", source)
    found += [(kind, name) for name, kind in re.findall(r"\busing\s+(\w+)\s*=\s*([\w:<>, ]{1,99});", source)]
    return {name: kind for kind, name in found}


def _cpp_parameter(plain: Callable[[str], str], text: str) -> str:
    """The type, with "&" when the function may change its argument."""
    text = text.partition("=")[0]
    kind = re.sub(r"\s*\b[^\W\d]\w*\s*$", "", text) if not _is_bare_type("cpp", text) else text
    is_changed = "&" in kind and not re.search(r"\bconst\b", kind)
    return plain(re.sub(r"\bconst\b|&", " ", kind)) + ("&" if is_changed else "")


def _is_bare_type(language: str, text: str) -> bool:
    words = re.findall(r"\w+", text)
    return len(words) == 1 or words[-1] in _TYPES[language]


def _rust(source: str, name: str, start: int, end: int) -> Function:
    head = source[start:end]
    parameters, result = _between_parentheses(head)
    generics = head[: head.index("(")].partition("<")[2]
    if re.search(r"[A-Z]", generics):
        raise NotPlain(f"{name} is generic")

    def plain(text: str) -> str:
        return _plain("rust", re.sub(r"'\w+", " ", text).replace("&", " & "), name)

    kinds = tuple(plain(part.partition(":")[2]) for part in _split(parameters))
    return Function(name, plain(result.partition("->")[2].partition("where")[0].rstrip(" {\n")), kinds)


def _go(source: str, name: str, start: int, end: int) -> Function:
    inside, rest = _between_parentheses(source[start:end])
    kinds: list[str] = []
    for part in reversed(_split(inside)):  # `a, b int`: the type is that of the next one
        words = part.strip().split(None, 1)
        is_name_alone = len(words) == 1 and bool(kinds)
        kinds.append(kinds[-1] if is_name_alone else (words[1] if len(words) > 1 else words[0]))
    result = rest.rstrip().removesuffix("{").strip()
    results = _split(result[1:-1]) if result.startswith("(") else [result]
    return Function(
        name,
        ", ".join(_plain("go", kind, name) for kind in results if kind),
        tuple(_plain("go", kind, name) for kind in reversed(kinds)),
    )


def _java(source: str, name: str, start: int, end: int) -> Function:
    before = re.split(r"[;{}]", source[max(0, start - 500) : start])[-1]
    words = re.sub(r"@\w+|\b(public|private|protected|final|synchronized)\b", " ", before)
    prefix = "static" if re.search(r"\bstatic\b", words) else ""
    inside = _between_parentheses(source[start:end])[0]
    kinds = [re.sub(r"\bfinal\b|\s*\b[^\W\d]\w*\s*$", " ", part) for part in _split(inside)]
    result = _plain("java", re.sub(r"\bstatic\b", " ", words), name)
    return Function(name, result, tuple(_plain("java", kind, name) for kind in kinds), prefix)


def _between_parentheses(head: str) -> tuple[str, str]:
    """What stands between the first parenthesis and its partner, and what comes after."""
    start = head.index("(") + 1
    depth = 1
    for at in range(start, len(head)):
        depth += (head[at] == "(") - (head[at] == ")")
        if depth == 0:
            return head[start:at], head[at + 1 :]
    return head[start:], ""


def _split(text: str) -> list[str]:
    """At the commas outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "<([{") - (character in ">)]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]


def _replace(text: str, aliases: dict[str, str]) -> str:
    for _ in range(3):  # an alias of an alias
        text = re.sub(r"\w+", lambda word: aliases.get(word[0], word[0]), text)
    return text


_TYPES = {
    "cpp": frozenset(_CPP_TYPES.split()),
    "rust": frozenset(_RUST_TYPES.split()),
    "go": frozenset(_GO_TYPES.split()),
    "java": frozenset(_JAVA_TYPES.split()),
}
_MARKS = {"cpp": "<>,: ", "rust": "<>,&()[]; ", "go": "[]{} ", "java": "<>,[]? "}
_FINDERS = {"cpp": _cpp, "rust": _rust, "go": _go, "java": _java}


def _plain(language: str, text: str, function: str) -> str:
    """The type on one line; NotPlain when it has any other word or mark than those of plain types."""
    text = " ".join(text.split())
    words = re.findall(r"\w+", text)
    strange = [word for word in words if word not in _TYPES[language] and not word.isdigit()]
    strange += [mark for mark in re.sub(r"\w", "", text) if mark not in _MARKS[language]]
    if strange or len(text) > 200:
        raise NotPlain(f"{function} has a type that is not plain data: {' '.join(strange)[:60]}")
    return text
