"""Compare an answer with the right one, exactly and without running anything.

`equivalent(gold, predicted) -> Verdict` says equal, different or undecided, with the rule that decided and both forms. A wrong
"equal" poisons training data and a wrong "different" only costs a sample, so what cannot be shown is undecided. LaTeX and plain
text are read by a parser of our own, numbers are exact rationals, functions are compared at points, the rest goes to sympy in a
process that is killed after a second. No eval, no signal. `extract(reply, style=...)` finds the answer in a reply, by the rule
of each benchmark. `docs/answers.md` has the rules, the figures and what is left out.
"""

from sandbox.answers.extraction import extract
from sandbox.answers.grading import equivalent
from sandbox.answers.verdict import Equality, Verdict

__all__ = ["Equality", "Verdict", "equivalent", "extract"]
