"""How well and how fast answers are graded: `python benchmarks/math_answers.py --peers PYTHON`.

The labelled pairs of `tests/sandbox/answers` go through our grader, Math-Verify as its README shows it, and the rule of lm-eval's
minerva_math, in one run: agreement with the labels, false accepts (the costly error), false rejects, pairs a CPU second of one
process, the slowest pair. `--peers` is a Python that has math-verify and lm-eval (`pip install math-verify==0.9.0 lm-eval
antlr4-python3-runtime==4.11.1`). The held-out part is for a last report: tuning looks at dev alone. PRM800K's rule is published
in a repository only, not as a package, and is not measured here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox.answers import Equality, equivalent
from sandbox.answers.referee import REFEREE
from tests.sandbox.answers.pairs import Pair, read_pairs

PEER = """
import importlib.util, json, logging, sys, time
from pathlib import Path
logging.disable(logging.CRITICAL)
pairs, which = json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]
if which == "math-verify":
    from math_verify import parse, verify
    grade = lambda gold, predicted: bool(verify(parse(f"${gold}$"), parse(f"${predicted}$")))
else:
    place = importlib.util.find_spec("lm_eval").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("minerva", Path(place) / "tasks" / "minerva_math" / "utils.py")
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)
    def grade(gold, predicted):
        one, other = (rule.normalize_final_answer(text) for text in (gold, predicted))
        return one == other or bool(rule.is_equiv(one, other))
def timed(pair):
    start = time.process_time()
    try:
        said = "equal" if grade(*pair) else "different"
    except BaseException:
        said = "undecided"
    return said, time.process_time() - start
timed(["1", "1"])
print(json.dumps([timed(pair) for pair in pairs]))
"""
_PEERS = ("math-verify", "lm-eval minerva")


class Graded(NamedTuple):
    """What a grader said to each pair, and the CPU seconds each took."""

    said: list[str]
    seconds: list[float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("dev", "heldout"), default="dev")
    parser.add_argument("--every", type=int, default=1, help="take every n-th pair (default: 1)")
    parser.add_argument("--peers", help="a Python that has math-verify and lm-eval")
    parser.add_argument("--disagreements", type=int, default=0, help="pairs to print on which a peer and we differ")
    options = parser.parse_args()
    measure_graders(options)


def measure_graders(options: argparse.Namespace) -> None:
    """Grade the same pairs with each grader."""
    pairs = read_pairs(options.part)[:: options.every]
    print(f"{len(pairs):,} pairs of {options.part}: {dict(Counter(pair.label for pair in pairs))}\n")
    print(f"{'grader':28} agreement  false accepts  false rejects  undecided  pairs/CPU s   median      p99  slowest")
    found = {"ours": _ours(pairs, second_opinion=False), "ours, with the referee": _ours(pairs, second_opinion=True)}
    if options.peers:
        found |= {peer: _peer(options.peers, peer, pairs) for peer in _PEERS}
    for name, graded in found.items():
        _row(name, pairs, graded)
    REFEREE.close()
    if options.disagreements and options.peers:
        _differences(pairs, found["ours, with the referee"], found[_PEERS[0]], options.disagreements)


def _ours(pairs: Sequence[Pair], *, second_opinion: bool) -> Graded:
    """The referee's process is not counted: `pairs/CPU s` of the second row is what the caller pays."""
    said, seconds = [], []
    for pair in pairs:
        start = time.process_time()
        verdict = equivalent(
            pair.gold, pair.predicted, tolerance=pair.tolerance, question=pair.question, second_opinion=second_opinion
        )
        seconds.append(time.process_time() - start)
        said.append(verdict.equality.value)
    return Graded(said, seconds)


def _peer(python: str, name: str, pairs: Sequence[Pair]) -> Graded:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.json"
        path.write_text(json.dumps([[pair.gold, pair.predicted] for pair in pairs]))
        done = subprocess.run([python, "-c", PEER, str(path), name], check=True, capture_output=True, text=True)
    rows = json.loads(done.stdout.splitlines()[-1])
    return Graded([row[0] for row in rows], [row[1] for row in rows])


def _row(name: str, pairs: Sequence[Pair], graded: Graded) -> None:
    scored = [
        (pair.label, said) for pair, said in zip(pairs, graded.said, strict=True) if pair.label != "undecidable-ok"
    ]
    accepts = sum(label == "different" and said == Equality.EQUAL.value for label, said in scored)
    rejects = sum(label == "equal" and said != Equality.EQUAL.value for label, said in scored)
    undecided = sum(said == Equality.UNDECIDED.value for _, said in scored)
    times = sorted(graded.seconds)
    print(
        f"{name:28} {1 - (accepts + rejects) / len(scored):8.2%}  {accepts:13,}  {rejects:13,}  {undecided:9,}"
        f"  {len(pairs) / sum(times):11,.0f}"
        f"  {_milliseconds(times, 0.5)}  {_milliseconds(times, 0.99)} {_milliseconds(times, 1.0)}"
    )


def _milliseconds(times: Sequence[float], share: float) -> str:
    return f"{1000 * times[min(len(times) - 1, int(share * len(times)))]:5.2f} ms"


def _differences(pairs: Sequence[Pair], ours: Graded, theirs: Graded, most: int) -> None:
    """Print pairs that one accepts and the other does not, by category, with the label."""
    rows = [
        (pair.category, pair.label, mine, other, pair.gold, pair.predicted)
        for pair, mine, other in zip(pairs, ours.said, theirs.said, strict=True)
        if (mine == "equal") != (other == "equal")
    ]
    print(f"\n{len(rows):,} disagreements with {_PEERS[0]}: category, label, ours, theirs, gold, predicted")
    for row in sorted(rows)[:most]:
        print(" | ".join(row))


if __name__ == "__main__":
    main()
