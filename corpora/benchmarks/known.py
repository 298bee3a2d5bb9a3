"""Sets of math problems that cannot be shipped, or that we do not ship: what their columns are called, as published.

`known("math", sha256)` is a `BenchmarkFile` for the recipe; luigi.cfg [benchmarks] says where the file or folder lies. MATH's
problems are under a claim of their publisher; of the others no licence, or no copy, was at hand.
"""

from corpora.benchmarks.files import BenchmarkFile

KNOWN: dict[str, dict[str, str]] = {
    "math": {
        "question": "problem",
        "answer": "solution",
    },  # Hendrycks et al. 2021: folder of JSON files, or the hub's Parquet
    "math-500": {"id": "unique_id", "question": "problem", "answer": "answer"},  # Lightman et al. 2023
    "math401": {"question": "query", "answer": "response"},  # Yuan et al. 2023: math401.json
    "math23k": {"id": "id", "question": "original_text", "answer": "ans"},  # Wang et al. 2017: test split
    "svamp": {"id": "ID", "question": "Body + Question", "answer": "Answer"},  # Patel et al. 2021: SVAMP.json
    "cmath": {"question": "question | input", "answer": "golden"},  # Wei et al. 2023: the hub's copy | the repository's
}


def known(name: str, sha256: str) -> BenchmarkFile:
    """Describe a known set; `python -m corpora.benchmarks digest PATH` prints its digest."""
    if name not in KNOWN:
        raise ValueError(
            f"no known benchmark {name!r}; known are {', '.join(KNOWN)}; describe others with BenchmarkFile"
        )
    return BenchmarkFile(name=name, sha256=sha256, **KNOWN[name])
