"""Shards: what is read is what was written; a damaged, missing or foreign file is named with its cure; none is half-written."""

import itertools
import os
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import SchemaError, records, shards

SCHEMA = pa.schema([("id", pa.string()), ("n", pa.int32())])
ROWS = [{"id": f"row {n}", "n": n} for n in range(200)]
NAMES = ("DOCUMENT", "REJECTION", "PROBLEM", "LEDGER", "CONVERSATION", "SYMBOLS")


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / shards.shard_name(0, 1)
    shards.write(path, ROWS, SCHEMA)
    return path


def test_rows_and_bytes_are_stable(tmp_path, shard):
    other = tmp_path / "other.parquet"
    shards.write(other, pa.Table.from_pylist(ROWS, SCHEMA), SCHEMA)
    assert other.read_bytes() == shard.read_bytes()
    assert shards.read(shard, SCHEMA).to_pylist() == ROWS
    assert shards.read(shard, SCHEMA, columns=["n"]).column_names == ["n"]
    assert shards.num_rows(shard) == len(ROWS)


@pytest.mark.parametrize("name", NAMES)
def test_every_record_keeps_its_schema(tmp_path, name):
    schema = getattr(records, name)
    row = {field.name: _value(field.type) for field in schema}
    for rows in ([], [row], [dict.fromkeys(row)]):
        shards.write(tmp_path / "a.parquet", rows, schema)
        table = shards.read(tmp_path / "a.parquet", schema)
        assert table.schema.equals(schema)
        assert table.to_pylist() == rows
        shards.write(tmp_path / "b.parquet", table, schema)  # what was read can be handed on
        assert (tmp_path / "b.parquet").read_bytes() == (tmp_path / "a.parquet").read_bytes()


def _value(kind):
    if pa.types.is_list(kind):
        return [_value(kind.value_type)] * 2
    if pa.types.is_struct(kind):
        return {field.name: _value(field.type) for field in kind}
    return {"string": "é\x00", "int32": -1, "int64": 2**40, "double": 0.5, "bool": True}[str(kind)]


@given(st.lists(st.fixed_dictionaries({"id": st.text() | st.none(), "n": st.integers(-(2**31), 2**31 - 1)})))
def test_any_rows_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "any.parquet"
    shards.write(path, rows, SCHEMA)
    assert shards.read(path, SCHEMA).to_pylist() == rows


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 4))
def test_a_stream_of_tables_is_one_file_however_it_was_cut(tmp_path_factory, sizes, group):
    folder, schema = tmp_path_factory.getbasetemp(), pa.schema([("n", pa.int64()), ("s", pa.string())])
    rows = [{"n": n, "s": str(n)} for n in range(sum(sizes))]
    ends = [sum(sizes[:place]) for place in range(len(sizes) + 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "STREAM_GROUP_ROWS", group)
        tables = [pa.Table.from_pylist(rows[a:b], schema) for a, b in itertools.pairwise(ends)]
        shards.write_stream(folder / "cut.parquet", tables, schema)
        shards.write_stream(folder / "whole.parquet", [pa.Table.from_pylist(rows, schema)], schema)
    assert shards.read(folder / "cut.parquet", schema).to_pylist() == rows
    assert shards.column_names(folder / "cut.parquet") == ["n", "s"]
    assert (folder / "cut.parquet").read_bytes() == (folder / "whole.parquet").read_bytes()


def test_a_cut_file_is_named_with_its_cure(shard):
    whole = shard.read_bytes()
    for length in (0, 3, len(whole) // 2, len(whole) - 1):
        shard.write_bytes(whole[:length])
        for read in (lambda: shards.read(shard, SCHEMA), lambda: shards.num_rows(shard)):
            with pytest.raises(SchemaError, match=r"part-00000-of-00001.parquet .*delete its folder and run the stage"):
                read()


def test_a_damaged_byte_is_found_or_harmless(shard):
    whole = shard.read_bytes()
    for place in range(0, len(whole), 7):
        shard.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            shards.read(shard, SCHEMA)
        except SchemaError as error:
            assert shard.name in str(error)  # noqa: PT017


def test_other_columns_and_types_are_named(tmp_path, shard):
    with pytest.raises(SchemaError, match=r"lacks column 'm' \(has: id, n\)"):
        shards.read(shard, pa.schema([("id", pa.string()), ("m", pa.int32())]))
    with pytest.raises(SchemaError, match="column 'n' of type int32, wanted string"):
        shards.read(shard, pa.schema([("n", pa.string())]))
    with pytest.raises(SchemaError, match="is not there"):
        shards.read(tmp_path / "nothing.parquet", SCHEMA)


def test_a_foreign_parquet_file_reads_too(tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS, SCHEMA), tmp_path / "foreign.parquet", compression="snappy")
    assert shards.read(tmp_path / "foreign.parquet", SCHEMA).to_pylist() == ROWS


def test_a_folder_is_one_whole_set(tmp_path):
    with pytest.raises(SchemaError, match="has no shards"):
        shards.shard_paths(tmp_path)
    for index in range(3):
        shards.write(tmp_path / shards.shard_name(index, 3), [], SCHEMA)
    assert [path.name for path in shards.shard_paths(tmp_path)] == [shards.shard_name(i, 3) for i in range(3)]
    (tmp_path / shards.shard_name(1, 3)).unlink()
    with pytest.raises(SchemaError, match="part-00001-of-00003"):
        shards.shard_paths(tmp_path)
    (tmp_path / shards.shard_name(0, 2)).touch()
    with pytest.raises(SchemaError, match="is not one set"):
        shards.shard_paths(tmp_path)


def test_json_round_trips_and_damage_is_named(tmp_path):
    path = tmp_path / "a.json"
    shards.write_json(path, {"b": [1, None], "a": "é"})
    assert shards.read_json(path) == {"a": "é", "b": [1, None]}
    assert path.read_text(encoding="utf-8").index('"a"') < path.read_text(encoding="utf-8").index('"b"')
    path.write_text('{"a": ')
    with pytest.raises(SchemaError, match=r"a.json is not readable JSON"):
        shards.read_json(path)


def test_a_failed_write_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "a.json"
    shards.write_json(path, 1)
    with pytest.raises(TypeError):
        shards.write_json(path, object())

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        shards.replace(path, fail)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("a.json", "1\n")]


def test_what_a_killed_writer_left_goes_with_the_next_write(shard):
    (shard.parent / f".{shard.name}.4711").write_bytes(b"half")
    shards.write(shard, ROWS, SCHEMA)
    assert [path.name for path in shard.parent.iterdir()] == [shard.name]


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_no_half_written_shard(tiny_disk):
    random = os.urandom(300_000).hex()
    rows = [{"id": random[start : start + 1000], "n": start} for start in range(0, len(random), 1000)]
    with pytest.raises(OSError, match=r"No space left|space"):
        shards.write(tiny_disk / "kept" / shards.shard_name(0, 1), rows, SCHEMA)
    assert [path for path in tiny_disk.rglob("*") if path.is_file()] == []
    shards.write(tiny_disk / "kept" / shards.shard_name(0, 1), rows[:2], SCHEMA)
