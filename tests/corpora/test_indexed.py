"""Token files: any documents round-trip, Megatron's own reader sees the same, and a damaged file is refused by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import SchemaError
from corpora.indexed import IndexedReader, IndexedWriter

documents_of = st.lists(st.lists(st.lists(st.integers(0, 255), max_size=5), max_size=4), max_size=6)


def write(prefix, documents, dtype=np.int32):
    writer = IndexedWriter(prefix, dtype)
    for sequences in documents:
        writer.add_document([token for sequence in sequences for token in sequence], [len(s) for s in sequences])
    writer.close()


@given(documents_of, st.sampled_from([np.uint8, np.uint16, np.int32, np.int64]))
def test_any_documents_round_trip(tmp_path_factory, documents, dtype):
    prefix = tmp_path_factory.getbasetemp() / "any"
    write(prefix, documents, dtype)
    reader = IndexedReader(prefix)
    flat = [sequence for sequences in documents for sequence in sequences]
    assert reader.dtype == dtype
    assert [reader.get(index).tolist() for index in range(len(reader))] == flat
    assert np.diff(reader.document_indices).tolist() == [len(sequences) for sequences in documents]


def test_megatron_reads_the_same(tmp_path):
    indexed_dataset = pytest.importorskip("megatron.core.datasets.indexed_dataset")
    documents = [[[1, 2, 3], [4]], [[]], [[70000, 6]], []]
    write(tmp_path / "tokens", documents)
    theirs = indexed_dataset.IndexedDataset(str(tmp_path / "tokens"), mmap=True)
    ours = IndexedReader(tmp_path / "tokens")
    assert [theirs[index].tolist() for index in range(len(theirs))] == [[1, 2, 3], [4], [], [70000, 6]]
    assert theirs.document_indices.tolist() == ours.document_indices.tolist() == [0, 2, 3, 4, 4]
    assert theirs.get(0, offset=1, length=2).tolist() == ours.get(0, offset=1, length=2).tolist() == [2, 3]


@pytest.mark.parametrize("dtype", [np.int32, np.uint16])
def test_megatron_writes_the_same_bytes(tmp_path, dtype):
    indexed_dataset = pytest.importorskip("megatron.core.datasets.indexed_dataset")
    documents = [[[1, 2, 3], [4]], [[5, 6]], [[7, 0, 8, 9]]]
    write(tmp_path / "ours", documents, dtype)
    builder = indexed_dataset.IndexedDatasetBuilder(str(tmp_path / "theirs.bin"), dtype=dtype)
    for sequences in documents:
        builder.add_document(np.concatenate(sequences), [len(sequence) for sequence in sequences])
    builder.finalize(str(tmp_path / "theirs.idx"))
    for suffix in (".bin", ".idx"):
        assert (tmp_path / f"ours{suffix}").read_bytes() == (tmp_path / f"theirs{suffix}").read_bytes()


@given(documents_of, documents_of)
def test_appending_a_file_is_appending_its_documents(tmp_path_factory, first, second):
    folder = tmp_path_factory.getbasetemp()
    for name, documents in (("first", first), ("second", second), ("wanted", first + second)):
        write(folder / name, documents)
    writer = IndexedWriter(folder / "both", np.int32)
    for name in ("first", "second"):
        writer.add_all(IndexedReader(folder / name))
    writer.close()
    for suffix in (".bin", ".idx"):
        assert (folder / f"both{suffix}").read_bytes() == (folder / f"wanted{suffix}").read_bytes()


@given(st.lists(st.lists(st.integers(0, 255), max_size=5), max_size=6))
def test_many_documents_at_once_are_documents_one_by_one(tmp_path_factory, sequences):
    folder = tmp_path_factory.getbasetemp()
    write(folder / "one", [[sequence] for sequence in sequences])
    writer = IndexedWriter(folder / "many", np.int32)
    for half in (sequences[:2], sequences[2:]):
        writer.add_documents([token for sequence in half for token in sequence], [len(sequence) for sequence in half])
    writer.close()
    for suffix in (".bin", ".idx"):
        assert (folder / f"many{suffix}").read_bytes() == (folder / f"one{suffix}").read_bytes()


@given(documents_of)
def test_many_documents_of_many_sequences_are_documents_one_by_one(tmp_path_factory, documents):
    folder = tmp_path_factory.getbasetemp()
    write(folder / "one", documents)
    writer = IndexedWriter(folder / "many", np.int32)
    flat = [sequence for sequences in documents for sequence in sequences]
    tokens = [token for sequence in flat for token in sequence]
    writer.add_documents(tokens, [len(sequence) for sequence in flat], [len(sequences) for sequences in documents])
    writer.close()
    for suffix in (".bin", ".idx"):
        assert (folder / f"many{suffix}").read_bytes() == (folder / f"one{suffix}").read_bytes()


@given(st.lists(st.integers(0, 9), min_size=1), st.data())
def test_a_part_of_a_sequence_is_a_slice_of_it(tmp_path_factory, sequence, data):
    prefix = tmp_path_factory.getbasetemp() / "parts"
    write(prefix, [[[1, 2]], [sequence, [3]]])
    offset = data.draw(st.integers(0, len(sequence)))
    length = data.draw(st.none() | st.integers(0, len(sequence) - offset))
    wanted = sequence[offset:] if length is None else sequence[offset : offset + length]
    assert IndexedReader(prefix).get(1, offset, length).tolist() == wanted


def test_no_name_before_the_end(tmp_path):
    writer = IndexedWriter(tmp_path / "tokens", np.int32)
    writer.add_document([1], [1])
    assert not [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")]
    writer.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokens.bin", "tokens.idx"]


def test_a_killed_writer_is_overwritten(tmp_path):
    killed = IndexedWriter(tmp_path / "tokens", np.int32)
    killed.add_document([9] * 9, [9])
    write(tmp_path / "tokens", [[[1]]])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokens.bin", "tokens.idx"]
    assert IndexedReader(tmp_path / "tokens").get(0).tolist() == [1]


def test_damage_is_named(tmp_path):
    prefix = tmp_path / "tokens"
    with pytest.raises(SchemaError, match=r"tokens\.idx is not a token index"):
        IndexedReader(prefix)
    write(prefix, [[[1, 2, 3]]])
    index, content = (prefix.with_name(f"tokens.{suffix}") for suffix in ("idx", "bin"))
    whole = index.read_bytes()
    for damaged in (b"", b"x" * 50, whole[:-1], b"X" + whole[1:], whole[:17] + b"\x63" + whole[18:]):
        index.write_bytes(damaged)
        with pytest.raises(SchemaError, match=r"tokens\.idx"):
            IndexedReader(prefix)
    index.write_bytes(whole)
    for damaged in (b"", content.read_bytes()[:-1], content.read_bytes() * 2):
        content.write_bytes(damaged)
        with pytest.raises(SchemaError, match=r"tokens\.bin"):
            IndexedReader(prefix)
    content.unlink()
    with pytest.raises(SchemaError, match=r"tokens\.bin"):
        IndexedReader(prefix)


def test_the_writer_refuses_what_it_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="float16"):
        IndexedWriter(tmp_path / "tokens", np.float16)
    writer = IndexedWriter(tmp_path / "tokens", np.uint8)
    with pytest.raises(ValueError, match="3 tokens in its sequences, 2 in the document"):
        writer.add_document([1, 2], [3])
    with pytest.raises(ValueError, match="3 tokens in all, 2 given"):
        writer.add_documents([1, 2], [1, 2])
    with pytest.raises(ValueError, match="3 sequences in the documents, 2 given"):
        writer.add_documents([1, 2], [1, 1], [1, 2])
    write(tmp_path / "bytes", [[[1]]], np.uint8)
    with pytest.raises(ValueError, match="holds int32, the file to append uint8"):
        IndexedWriter(tmp_path / "other", np.int32).add_all(IndexedReader(tmp_path / "bytes"))
