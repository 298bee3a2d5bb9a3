"""Which texts of a benchmark problem would give it away in training data, each under the name of its field."""

from collections.abc import Iterator

from corpora.benchmarks import BenchmarkProblem

CODE = frozenset({"solution", "program"})
"""Fields that are code, where the problem has tests."""
_QUOTES = ('"""', "'''")


def texts_of(problem: BenchmarkProblem) -> dict[str, str]:
    """Give the texts of a problem by field; a text that two fields hold goes by the first.

    Besides the published fields: `docstring`, the prompt's, which a copy may have without the signature; `program`, the
    signature with the solution, which is what is left of a copy without its docstring.
    """
    seen: dict[str, str] = {}
    for field, text in _fields(problem):
        if text:
            seen.setdefault(text, field)
    return {field: text for text, field in seen.items()}


def _fields(problem: BenchmarkProblem) -> Iterator[tuple[str, str]]:
    head, docstring = _split(problem.prompt) if problem.tests else ("", "")
    head, docstring = problem.extra.get("declaration", head), problem.extra.get("docstring", docstring)
    yield "prompt", problem.prompt
    yield "docstring", docstring
    yield "solution", problem.solution
    yield "program", head + problem.solution if head else ""
    yield "tests", problem.tests
    yield "question", problem.question
    yield "answer", problem.answer


def _split(prompt: str) -> tuple[str, str]:
    """Cut a prompt that ends in a docstring into what is before it, and its text; nothing, when it does not."""
    body = prompt.rstrip()
    for quotes in _QUOTES:
        if body.endswith(quotes):
            head, found, docstring = body[: -len(quotes)].rpartition(quotes)
            return (head, docstring) if found else ("", "")
    return "", ""
