"""`python -m corpora.code explain FILE`: every signal, bound and decision for one file, without a run.

`python -m corpora.code languages` lists what is known and how much of it is in the blend.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from corpora.code.bounds import PRESETS, Bound
from corpora.code.filter import FilterConfig
from corpora.code.signals import DESCRIPTIONS, Column
from corpora.code.syntax import SyntaxConfig

_HIDDEN = {"visible", "visible_share"}
"""Measured of HTML only."""


def explain(path: str, text: str, config: FilterConfig, syntax: SyntaxConfig, *, language: str = "") -> Iterator[str]:
    """Say of a file its language, what is measured of it, what that must be and by which source, and what is decided."""
    from corpora.code import languages

    found = language or languages.detect(path, text)
    row = languages.BY_NAME.get(found)
    yield f"file      {path}"
    yield f"language  {found or 'unknown'} ({_origin(path, language)}); " + (
        f"weight {row.weight:g} in the blend" if row and row.weight else "not in the blend"
    )
    yield f"bounds    {config.preset}, version {config.version}"
    yield ""
    yield f"{'signal':<14} {'value':>12} {'bound':>12}  {'':<7} source or meaning"
    reasons: list[str] = []
    yield from _signals(path, text, found, config, reasons)
    yield from _parsed(found, text, syntax, reasons)
    yield ""
    yield f"decision  {'kept' if not reasons else f'rejected: {reasons[0]}'}" + (
        f" (and {', '.join(reasons[1:])})" if reasons[1:] else ""
    )


def _origin(path: str, given: str) -> str:
    from corpora.code.languages import by_path

    return "as given" if given else "by its name" if by_path(path) else "by path and content, Linguist's rules"


def _signals(path: str, text: str, language: str, config: FilterConfig, reasons: list[str]) -> Iterator[str]:
    import numpy as np
    import pyarrow as pa

    column = Column(pa.chunked_array([pa.array([text])]), [language], [path])
    asked = [bound for bound in config.all_bounds() if bound.holds_for(language)]
    for signal, meaning in DESCRIPTIONS.items():
        bounds = [bound for bound in asked if bound.signal == signal]
        if signal in _HIDDEN and not bounds:
            continue
        value = float(column.measure(signal, np.array([0]))[0])
        if not bounds:
            yield f"{signal:<14} {value:>12.6g} {'':>12}  {'':<7} {meaning}"
        for bound in bounds:
            yield f"{signal:<14} {value:>12.6g} {_limit(bound):>12}  {_judge(bound, value):<7} {bound.source}"
    broken = [bound for bound in asked if bound.breaks(float(column.measure(bound.signal, np.array([0]))[0]))]
    reasons += dict.fromkeys(bound.signal for bound in broken)
    marks = {signal: mark for (signal, _), mark in column.evidence.items() if signal in reasons}
    yield from (f"{'':<14} {signal}: {mark}" for signal, mark in marks.items())


def _limit(bound: Bound) -> str:
    return f"{'<=' if bound.low is None else '>='} {bound.limit:g}"


def _judge(bound: Bound, value: float) -> str:
    return "BROKEN" if bound.breaks(value) else "kept"


def _parsed(language: str, text: str, config: SyntaxConfig, reasons: list[str]) -> Iterator[str]:
    """Say what the gate on syntax finds, with the share of bytes that it could place nowhere."""
    from corpora.code.grammars import grammar_of, parse, parser_of
    from corpora.code.parsing import Parsing
    from corpora.code.syntax import unread_share

    bound = config.max_error_share(language)
    if bound is None:
        yield f"{'syntax':<14} {'':>12} {'':>12}  {'':<7} {language or 'an unknown language'} is not parsed"
        return
    grammar_of(language)
    with Parsing(config) as parsing:
        found = parsing.examine(language, text.encode())
    reason = found.get("reason", "")
    value = found.get("value")
    if value is None:  # the child has come to the end of it, so this process will
        code = text.encode()
        tree = parse(parser_of(language), code, 1 << 40)
        value = unread_share(language, code, tree, bound, 1 << 40) if tree else 0.0
    yield f"{'syntax':<14} {value:>12.6g} {f'<= {bound:g}':>12}  {'BROKEN' if reason else 'kept':<7} {reason or 'parsed'}"
    reasons += [reason] if reason else []


def list_languages() -> Iterator[str]:
    """Say of every language its share of the blend in percent, whether it is parsed, and the files that are certain."""
    from corpora.code.languages import LANGUAGES

    total = sum(language.weight for language in LANGUAGES)
    yield f"{'language':<22} {'weight':>8} {'share':>7}  {'parsed':<6} files"
    for row in sorted(LANGUAGES, key=lambda row: (-row.weight, row.name)):
        share = f"{row.weight / total:.2%}" if row.weight else "-"
        files = " ".join(f"{row.suffixes} {row.shared}".split())
        yield f"{row.name:<22} {row.weight:>8g} {share:>7}  {'yes' if row.grammar else '':<6} {files}"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m corpora.code", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("explain", help="say of one file what is measured and decided")
    command.add_argument("file", type=Path)
    command.add_argument("--preset", choices=list(PRESETS), default="ours")
    command.add_argument("--language", default="", help="Linguist's name; by default it is detected")
    commands.add_parser("languages", help="list the languages that are known, with their weight in the blend")
    arguments = parser.parse_args()
    if arguments.command == "languages":
        print("\n".join(list_languages()))
        return
    from corpora.collect import CollectConfig
    from corpora.sources.read import read_text

    text = read_text(arguments.file, CollectConfig.max_file_bytes)
    if isinstance(text, dict):
        print("\n".join(f"{name:<9} {value}" for name, value in {"file": arguments.file, **text}.items()))
        return
    lines = explain(
        str(arguments.file), text, FilterConfig(preset=arguments.preset), SyntaxConfig(), language=arguments.language
    )
    print("\n".join(lines))


if __name__ == "__main__":
    main()
