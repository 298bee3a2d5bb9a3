"""`python -m sandbox run FILE | check`: run one program in the sandbox, and see what this machine can isolate and compile.

Guarantees: what a program printed goes to the same stream here, on a terminal without its control characters; how it
ended goes to standard error. Exit codes: 0 passed or finished, 1 any other end, 2 a wrong command line, 3 the sandbox or
the language is not available here. Costs: 0.3 s for `run`; `check` prepares the toolchains that are not ready, which takes
a minute the first time. Leaves out: many programs (`sandbox.run_many`).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

from sandbox.program import LANGUAGES, Limits, Outcome, Program, SandboxUnavailable, Status

SUFFIXES = {
    ".py": "python",
    ".cpp": "cpp",
    ".cc": "cpp",
    ".go": "go",
    ".java": "java",
    ".js": "javascript",
    ".rs": "rust",
    ".sh": "shell",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but tab and newline: a terminal obeys the others
_LIMIT_WORDS = {"wall_seconds": "SECONDS", "cpu_seconds": "SECONDS", "processes": "NUMBER"}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return run(options) if options.command == "run" else check()
    except SandboxUnavailable as refusal:
        print(refusal, file=sys.stderr)
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sandbox", description=__doc__.partition(":")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    text = "run one program, and judge it when there are tests"
    command = commands.add_parser("run", help=text, description=text)
    command.add_argument("file", type=Path, metavar="FILE", help="the program")
    command.add_argument("--language", choices=LANGUAGES, help="default: by the file's suffix, else python")
    command.add_argument("--tests", type=Path, metavar="FILE", help="asserts, or a check(candidate); not given to it")
    command.add_argument("--entry-point", metavar="NAME", help="the function that check(candidate) gets")
    command.add_argument("--stdin", type=Path, metavar="FILE", help="what it reads; default: nothing")
    command.add_argument("--stdout", type=Path, metavar="FILE", help="what it has to print; not given to it")
    for name, default in vars(Limits()).items():
        command.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(default),
            default=default,
            metavar=_LIMIT_WORDS.get(name, "BYTES"),
            help=f"default: {default}",
        )
    commands.add_parser(
        "check", help="self-test, packages and toolchains of this machine, and the cure of what is missing"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the program; say what it printed and how it ended."""
    import sandbox

    try:
        limits = Limits(**{name: getattr(options, name) for name in vars(Limits())})
        program = Program(
            source=_read(options.file) or "",
            language=options.language or SUFFIXES.get(options.file.suffix, "python"),
            stdin=_read(options.stdin) or "",
            tests=_read(options.tests),
            entry_point=options.entry_point,
            expected_stdout=_read(options.stdout),
        )
    except (ValueError, OSError) as error:
        print(f"python -m sandbox run: {error}", file=sys.stderr)
        return 2
    outcome = sandbox.run(program, limits=limits)
    _show(outcome)
    return 0 if outcome.status in (Status.PASSED, Status.FINISHED) else 1


def _read(path: Path | None) -> str | None:
    return path.read_bytes().decode("utf-8", "surrogateescape") if path else None


def _show(outcome: Outcome) -> None:
    _write(outcome.stdout, sys.stdout)
    _write(outcome.stderr, sys.stderr)
    print(f"status  {outcome.status.value}", file=sys.stderr)
    if outcome.detail:
        print(f"detail  {_CONTROL.sub(_visible, outcome.detail)}", file=sys.stderr)
    print(f"time    {outcome.wall_seconds:.3f} s, of CPU {outcome.cpu_seconds:.3f} s", file=sys.stderr)


def _write(text: str, stream: TextIO) -> None:
    """A program's text; a terminal is not to obey it, and ends up on a new line."""
    if stream.isatty():
        text = _CONTROL.sub(_visible, text)
        text += "\n" * (text != "" and not text.endswith("\n"))
    stream.write(text)
    stream.flush()


def _visible(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


def check() -> int:
    """Say what this machine can do, line by line, and what to install for the rest."""
    print("isolation")
    code = _check_isolation()
    print("\npackages that programs may import")
    _check_packages()
    print("\nlanguages")
    _check_languages()
    return code


def _row(name: str, state: str) -> None:
    print(f"  {name:<34}{state}", flush=True)


def _check_isolation() -> int:
    from sandbox import pool

    started = time.perf_counter()
    try:
        pool.run(Program(source=""))
        _row("make a jail and run a program", f"ok, {time.perf_counter() - started:.2f} s")
        for step in pool.PROBES:
            pool.probe(step)
            _row(step, "ok")
    except SandboxUnavailable as refusal:
        _row(refusal.step, "FAILED")
        print(f"\nNothing can run here. To do: {refusal.cure}")
        return 3
    return 0


def _check_packages() -> None:
    from importlib import metadata

    from sandbox.worker import PACKAGES

    for name in PACKAGES:
        try:
            _row(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            _row(name, f"missing; pip install {name}")


def _check_languages() -> None:
    from sandbox import languages, toolchains

    _row("python", sys.version.partition(" ")[0])
    for name in languages.LANGUAGES:
        try:
            tool = next(iter(languages.tools(name).values()))
            toolchains.prepare(name)
            _row(name, _version(tool))
        except SandboxUnavailable as missing:
            _row(name, f"missing; {missing.cure}")


def _version(tool: str) -> str:
    flag = "version" if tool.endswith("/go") else "--version"
    done = subprocess.run([tool, flag], capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout or done.stderr).partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
