"""The number of shards cuts the corpus and does nothing else: the same rows in the same order, the same tokens."""

import pytest

from corpora import records, shards
from corpora.code.filter import FilterConfig, filter_code
from corpora.code.fim import FimConfig, apply_fim
from corpora.code.order import OrderConfig, order_repositories
from corpora.code.secrets import SecretsConfig, redact_secrets
from corpora.code.syntax import SyntaxConfig, gate_syntax
from corpora.collect import CollectCodeConfig, Sources, collect_code
from corpora.decontaminate import DecontaminateConfig, decontaminate_corpus
from corpora.dedup import (
    NearDuplicatesConfig,
    UnitConfig,
    drop_exact_duplicates,
    drop_near_duplicates,
    index_duplicates,
)
from corpora.engine import Engine
from corpora.layout import TokenizeConfig
from corpora.tokenize import tokenize

STAGES = (
    (filter_code, {"config": FilterConfig()}),
    (drop_exact_duplicates, {}),
    (drop_near_duplicates, {"config": NearDuplicatesConfig()}),
    (redact_secrets, {"config": SecretsConfig()}),
    (gate_syntax, {"config": SyntaxConfig()}),
    (decontaminate_corpus, {"config": DecontaminateConfig()}),
    (order_repositories, {"config": OrderConfig(max_part_bytes=16_384)}),
    (apply_fim, {"config": FimConfig(rate=0.5)}),
)
ACROSS_SHARDS = {"part"}
"""Columns that count within a shard."""


def build(root, base, num_shards):
    config = CollectCodeConfig(
        kinds=("fixture",), budget_bytes=2_000_000, max_repository_bytes=1_000_000, num_shards=num_shards, seed=5
    )
    folder = root / "collect_code"
    metrics = {"collect_code": collect_code(folder, config=config, sources=Sources(), engine=Engine())}
    for function, arguments in STAGES:
        source, folder = folder, root / function.__name__
        folder.mkdir()
        if function is drop_near_duplicates:
            index = root / "index"
            index_duplicates(index, documents=source, config=UnitConfig(), engine=Engine())
            metrics["near"] = drop_near_duplicates(folder, documents=source, index=index, engine=Engine(), **arguments)
            continue
        metrics[function.__name__] = function(folder, documents=source, engine=Engine(), **arguments)
    tokens = root / "tokenize"
    metrics["tokenize"] = tokenize(tokens, documents=folder, base=base, config=TokenizeConfig(), engine=Engine())
    return metrics


@pytest.fixture(scope="module")
def built(tmp_path_factory, base):
    roots = {number: tmp_path_factory.mktemp(f"shards{number}") for number in (1, 2, 5)}
    return {root: build(root, base, number) for number, root in roots.items()}


def contents(root):
    """All rows of every folder of shards, and the bytes of every other file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = {}
    for folder in sorted({path.parent for path in root.rglob("part-*.parquet")}):
        table = pa.concat_tables([pq.read_table(path) for path in shards.shard_paths(folder)])
        kept = [name for name in table.column_names if name not in ACROSS_SHARDS]
        found[str(folder.relative_to(root))] = table.select(kept).to_pylist()
    others = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("part-"))
    others = (path for path in others if path.parent != root / "index")  # its summary counts the units of each shard
    return found | {str(path.relative_to(root)): path.read_bytes() for path in others}


def test_rows_tokens_and_counts_do_not_depend_on_the_number_of_shards(built):
    first, *others = (contents(root) for root in built)
    assert {"gate_syntax/symbols", "tokenize/code_python_train.bin", "tokenize/documents.parquet"} <= first.keys()
    assert len(first["apply_fim/kept"]) > 20
    for other in others:
        assert [name for name in first.keys() | other.keys() if first.get(name) != other.get(name)] == []
    metrics = list(built.values())
    assert metrics[0] == metrics[1] == metrics[2]


def test_files_of_a_part_are_the_same_files(built):
    """Numbers of parts differ, what they hold together does not."""
    assert len({tuple(_parts(root / "order_repositories")) for root in built}) == 1


def _parts(folder):
    for path in shards.shard_paths(folder / "kept"):
        parts = {}
        for row in shards.read(path, records.ARRANGED, columns=["part", "id"]).to_pylist():
            parts.setdefault(row["part"], []).append(row["id"])
        yield from (tuple(ids) for ids in parts.values())
