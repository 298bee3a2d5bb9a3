"""Compare an answer with the right one, exactly and without running anything.

`equivalent(gold, predicted) -> Verdict` says equal, different or undecided, and why. A wrong "equal" poisons training
data and a wrong "different" only costs a sample, so what cannot be shown is undecided. Numbers are exact rationals read
by a parser of our own: plain text and simple LaTeX, fractions, mixed numbers, powers, percent, units, scale words, tuples,
intervals and sets. No eval, no floating point, bounded size. `extract(reply, style=...)` finds the answer in a reply.
Leaves out variables, irrational numbers and inequalities: equal only as the same text. About 20,000 pairs a core second.
"""

from sandbox.answers.compare import Equality, Verdict, equivalent
from sandbox.answers.extraction import extract

__all__ = ["Equality", "Verdict", "equivalent", "extract"]
