"""`python -m corpora.benchmarks build FOLDER`: write the shipped Parquet files and SOURCES.json from published files.

FOLDER holds humaneval/HumanEval.jsonl.gz, humanevalpack/humanevalpack-<language>.jsonl, mbpp/mbpp.jsonl and
gsm8k/{train,test}.jsonl. The digest of each published file is pinned here, so the build refuses any other revision.
`python -m corpora.benchmarks digest PATH` prints what a recipe names a file or folder of a set by.
"""

import argparse
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.benchmarks import DATA, LANGUAGES, check_digest, rowfiles
from corpora.benchmarks.readers import read_rows


@dataclass(frozen=True)
class Published:
    """A published file: where it is in FOLDER, what it must digest to, and under which licence it may be shipped."""

    benchmark: str
    file: str
    sha256: str
    license: str
    license_file: str
    source: str


HUMANEVALPACK_SHA256 = {
    "python": "b1376d72be4bd016a62ad043d9de3846edb8d63edf1222da802a31330c14c3a7",
    "js": "04c86c1fac5f33818d9187cba278ed1dfc66cc259372dd8342126aa580fb7569",
    "java": "a8d077d300bbdc2eda91e1a733deb2944678bce8fcc7eb272214626516768cc1",
    "go": "0ee2cdca46d70afb33d913a0d4b205624fe4ded2f28c2efdb241727221837993",
    "cpp": "891a390c1b9d2cb85dd8fbebcf1d88dbdd565734a6b2b3259f9ddb3fe95e33d7",
    "rust": "01ece28eaf490d7af037ce53095083dacfd38022cf5b82662ccb78024dc269a1",
}
GSM8K_SHA256 = {
    "train": "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465",
    "test": "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
}
PUBLISHED = {
    "humaneval.parquet": Published(
        "humaneval",
        "humaneval/HumanEval.jsonl.gz",
        "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
        "MIT",
        "LICENSE-humaneval.txt",
        "https://github.com/openai/human-eval data/HumanEval.jsonl.gz",
    ),
    **{
        f"humanevalpack-{language}.parquet": Published(
            f"humanevalpack-{language}",
            f"humanevalpack/humanevalpack-{language}.jsonl",
            HUMANEVALPACK_SHA256[language],
            "MIT",
            "LICENSE-humanevalpack.txt",
            f"https://huggingface.co/datasets/bigcode/humanevalpack data/{language}/data/humanevalpack.jsonl",
        )
        for language in LANGUAGES
    },
    "mbpp.parquet": Published(
        "mbpp",
        "mbpp/mbpp.jsonl",
        "ccf64ceae9c5403bf50a044cb6d505bfd2a2963ee58338ba268fd65beab92a9f",
        "CC-BY-4.0",
        "LICENSE-mbpp.txt",
        "https://github.com/google-research/google-research mbpp/mbpp.jsonl",
    ),
    **{
        f"gsm8k-{split}.parquet": Published(
            "gsm8k",
            f"gsm8k/{split}.jsonl",
            GSM8K_SHA256[split],
            "MIT",
            "LICENSE-gsm8k.txt",
            f"https://github.com/openai/grade-school-math grade_school_math/data/{split}.jsonl",
        )
        for split in ("train", "test")
    },
}


def build(folder: Path, target: Path = DATA) -> dict[str, dict[str, Any]]:
    """Write every Parquet file and SOURCES.json into `target`; the same bytes for the same pyarrow."""
    target.mkdir(parents=True, exist_ok=True)
    entries = {
        name: _build_one(folder / published.file, target / name, published) for name, published in PUBLISHED.items()
    }
    temporary = target / f".SOURCES.json.{os.getpid()}"
    temporary.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    temporary.replace(target / "SOURCES.json")
    return entries


def _build_one(original: Path, target: Path, published: Published) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = original.read_bytes()
    check_digest(original, hashlib.sha256(content).hexdigest(), published.sha256)
    rows = read_rows(original.name, content)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    pq.write_table(pa.Table.from_pylist(rows), temporary, compression="zstd", compression_level=19)
    temporary.replace(target)
    return {
        "benchmark": published.benchmark,
        "license": published.license,
        "license_file": f"licenses/{published.license_file}",
        "source": published.source,
        "source_sha256": published.sha256,
        "rows": len(rows),
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
    }


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m corpora.benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="write data/ from the published files").add_argument("folder", type=Path)
    commands.add_parser("digest", help="print the digest of a file or folder of rows").add_argument("path", type=Path)
    options = parser.parse_args()
    if options.command == "digest":
        print(rowfiles.digest(options.path.expanduser()))
        return
    for name, entry in build(options.folder).items():
        print(f"{name}: {entry['rows']} rows, {entry['license']}")


if __name__ == "__main__":
    main()
