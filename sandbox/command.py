"""In the jail: a program of any language as commands, its compilers first.

Guarantees: compilers and program run under the program's own limits and filter and die with it; a compiler has no
descriptor but null input and the program's standard error. Costs: what the commands cost.
Leaves out: what to run (sandbox.languages decides) and all trust: of this side only the marks are believed, which are
written before the program's first instruction.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NoReturn

from sandbox.child import COMPILED, NOT_COMPILED

STREAMS = 3  # standard input, which may be a calls socket, output and error


def become(order: str, mark: int) -> NoReturn:
    """Write the files into the working directory, compile, and turn into the program. `order`: see languages.Build."""
    build = json.loads(order)
    os.closerange(STREAMS, mark)  # and the mark closes by itself in every command
    for name, text in build["files"].items():
        Path(name).write_bytes(text.encode("utf-8", "surrogatepass"))
    environment = {**os.environ, **build["environment"]}
    for step in build["compile"]:
        if _status(step, environment) != 0:
            os.write(mark, NOT_COMPILED)
            os._exit(1)
    os.write(mark, COMPILED)
    os.execve(build["run"][0], build["run"], environment)  # noqa: S606 - a list of our own making


def _status(command: list[str], environment: dict[str, str]) -> int:
    """Run one compiler to its end, what it prints going to standard error."""
    streams = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, 2, 1)]
    pid = os.posix_spawn(command[0], command, environment, file_actions=streams)
    return os.waitpid(pid, 0)[1]
