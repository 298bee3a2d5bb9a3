"""What a teacher adds to problems: `rephrase`, `evolve`, `answer`, `self_verify`, `sampled`; `choose` takes the good rows.

One module and one stage a kind. A stage asks, judges every sample by what can be checked, and keeps all of them in `kept/`
with their verdict and the class of their evidence; nothing is thrown away there, so that another filter needs no teacher.
What a kind shows, and what it does not, stands at the head of its module.
"""
