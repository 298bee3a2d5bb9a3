"""Notebooks as scripts in their kernel's language: cells in order, words as comments, what was printed left out.

nbformat 3 and 4, read as JSON. The language is what `language_info` or the kernel says. Lines for the notebook program
(magics, shell commands, help) are commented out, as `pass` with a comment where a block needs a statement; a cell in another
language is a comment whole. Raw cells are left out. What is no notebook is rejected: `notebook`, `language`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from corpora.code.comments import COMMENTS
from corpora.code.languages import BY_NAME

_ALIASES = {
    "ipython": "Python",
    "python2": "Python",
    "python3": "Python",
    "ir": "R",
    "bash": "Shell",
    "c++": "C++",
    "xcpp": "C++",
    "csharp": "C#",
    "fsharp": "F#",
    "pwsh": "PowerShell",
    "rust": "Rust",
    "octave": "MATLAB",
}
"""What kernels call a language that has another name here; other names are compared in small letters."""
_NAMES = {name.lower(): name for name in BY_NAME} | _ALIASES
_VERSION = re.compile(r"[-_. ]?[\d.]+$")
_OTHER_LANGUAGE = re.compile(r"%%(?!(?:time|timeit|capture|prun|memit|mprun|lprun|notify)\b)\w")
"""First line of a cell that is in another language, or no program at all."""
_MAGIC = re.compile(
    r"([ \t]*)(?:[%]{1,2}[A-Za-z]|!|\?{1,2}[A-Za-z]|[\w.]+\?{1,2}[ \t]*$|[\w, ]{1,80}=[ \t]*[!%][A-Za-z])"
)
_GOES_ON = re.compile(r"[(\[{,\\\"'][ \t]*$")
"""End of a line whose expression goes on: a percent sign after it may be an operator."""


def script(data: str) -> tuple[str, str] | dict[str, Any]:
    r"""Give language and text of a notebook, or its rejection.

    >>> script('{"cells": [{"cell_type": "code", "source": "x = 1"}], "metadata": {"kernelspec": {"name": "python3"}}}')
    ('Python', 'x = 1\n')
    """
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError) as error:
        return {"reason": "notebook", "evidence": f"no JSON: {error}"[:200]}
    cells = _cells(notebook)
    if not cells:
        return {"reason": "notebook", "evidence": "no cells"}
    named = _language(notebook, cells)
    language = _NAMES.get(named.lower()) or _NAMES.get(_VERSION.sub("", named.lower())) or ""
    marker = next(iter(COMMENTS[BY_NAME[language].comments].line), "") if language else ""
    if not marker:
        return {"reason": "language", "evidence": f"notebook in {named[:50] or 'no language that it names'}"}
    parts = [part for cell in cells if (part := "\n".join(_part(cell, language, marker)).strip("\n"))]
    return language, "\n\n".join(parts) + "\n" if parts else ""


def _cells(notebook: Any) -> list[dict[str, Any]]:
    """List the cells of either format; what is no cell is passed over."""
    if not isinstance(notebook, dict):
        return []
    sheets = notebook.get("worksheets")
    found = notebook.get("cells")
    if not isinstance(found, list):
        inside = (sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)) if isinstance(sheets, list) else ()
        found = [cell for cells in inside if isinstance(cells, list) for cell in cells]
    return [cell for cell in found if isinstance(cell, dict)]


def _language(notebook: dict[str, Any], cells: list[dict[str, Any]]) -> str:
    """Name the language as the notebook does: format 4 in its metadata, format 3 in each cell."""
    metadata = _dictionary(notebook.get("metadata"))
    kernel = _dictionary(metadata.get("kernelspec"))
    places = [
        _dictionary(metadata.get("language_info")).get("name"),
        kernel.get("language"),
        kernel.get("name"),
        *(cell.get("language") for cell in cells[:100] if cell.get("cell_type") == "code"),
    ]
    return next((one for one in places if isinstance(one, str) and one), "")


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _part(cell: dict[str, Any], language: str, marker: str) -> Iterator[str]:
    """Write one cell as lines of the script."""
    kind = cell.get("cell_type")
    source = cell.get("source", cell.get("input"))
    text = "".join(line for line in source if isinstance(line, str)) if isinstance(source, list) else source
    lines = text.splitlines() if isinstance(text, str) else []
    is_other = kind == "code" and lines and _OTHER_LANGUAGE.match(lines[0])
    if is_other or kind in ("markdown", "heading", "html"):
        yield from (f"{marker} {line}".rstrip() for line in lines)
    elif kind == "code":
        before = ""
        for line in lines:
            yield _commented(line, language, marker) if _is_magic(line, before) else line
            before = line


def _is_magic(line: str, before: str) -> bool:
    return bool(_MAGIC.match(line)) and not _GOES_ON.search(before)


def _commented(line: str, language: str, marker: str) -> str:
    """Comment a line out; in a block of Python a statement has to stay."""
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    return f"{indent}pass  {marker} {body}" if indent and language == "Python" else f"{indent}{marker} {body}"
