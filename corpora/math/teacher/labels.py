"""Kinds of rows that a teacher makes, and the verdicts on its samples.

Only `verified` means that something other than the teacher says so: an answer known beforehand, or an execution.
"""

from __future__ import annotations

from corpora.math.rows import VERIFIED

REPHRASE, EVOLVE, ANSWER, SELF_VERIFY, SAMPLED = KINDS = ("rephrase", "evolve", "answer", "self_verify", "sampled")
"""A question in other words, a harder question, other solutions, a number asked for with the answer given, programs."""

AGREED = "agreed"
"""The only evidence is that most samples of one teacher end in the same answer."""
CHECKED = "checked"
"""The text passes a check that needs no teacher, and nobody solved it."""
WRONG = "wrong"
"""The answer, or what a program printed, is not the known one."""
FAULTY = "wrong equation"
"""The answer is the known one; a calculation in the text is not right."""
OUTVOTED = "outvoted"
"""Another answer has the agreement."""
UNDECIDED = "undecided"
"""The grader cannot say, or too few samples agree."""
CHANGED = "numbers changed"
"""A question that should have kept its numbers has others."""
COPIED = "copied"
"""A question that should be another one is the seed, or an earlier one."""
UNREAD = "unread"
"""The reply is not in the form that was asked for."""
CUT = "cut off"
"""The reply ended at its limit of tokens."""
REFUSED = "refused"
"""The endpoint will not answer this, or a filter of its own took the reply away."""

VERDICTS = (
    *(VERIFIED, AGREED, CHECKED, WRONG, FAULTY, OUTVOTED, UNDECIDED, CHANGED, COPIED, UNREAD, CUT, REFUSED),
    *("crashed", "timeout", "memory", "output", "compile_error"),
)
"""The last five are ends of a program in the sandbox."""

__all__ = [name for name in dir() if name.isupper()]
