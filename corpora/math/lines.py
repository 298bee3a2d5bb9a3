"""The lines of a published solution: which steps each holds, and the words around a calculation."""

from __future__ import annotations

import re

from corpora.math.structure import Structure

_FRAME = re.compile(
    r"(?P<lead>[A-Z][^\d$=]*\$?)(?P<calculation>[\d(][-\d.,+*/() $x×÷%]*)= ?\$?<<[^<>]*>>[\d.,]*\d(?P<tail>[^\d=]*)"
)


class Lines:
    """The lines of a seed's solution, and the steps that each holds."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        body = structure.chain.body
        self._spans: dict[int, tuple[int, int]] = {}
        for number, step in enumerate(structure.chain.steps):
            start = body.rfind("\n", 0, step.start) + 1
            end = body.find("\n", step.end)
            self._spans[number] = (start, end if end >= 0 else len(body))

    def line(self, step: int) -> tuple[str, list[int]]:
        """Give the line of a step, and all the steps it holds."""
        start, end = self._spans[step]
        return self._structure.chain.body[start:end].strip(), [s for s, span in self._spans.items() if span[0] == start]

    def frame(self, step: int) -> tuple[str, str] | None:
        """Give the words before and after the calculation of a step, when its line is those and nothing else."""
        text, steps = self.line(step)
        if len(steps) > 1:
            return None
        match = _FRAME.fullmatch(text)
        calculation = self._structure.chain.steps[step].expression.text
        if match is None or _bare(match["calculation"]) != _bare(calculation):
            return None
        return match["lead"], match["tail"]


def _bare(text: str) -> str:
    return re.sub(r"[ ,$]", "", text).translate(str.maketrans("x×÷", "**/"))
