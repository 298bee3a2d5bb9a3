"""What the corpus tests share: folders as a stage leaves them, and what they hold."""

import hashlib
from pathlib import Path

import pytest

from corpora import records, shards


def document(text, *, path="a.py", split="train", repository="r", language="Python", **columns):
    name = hashlib.blake2b(f"{repository} {path}".encode(), digest_size=16).hexdigest()
    row = {"id": name, "text": text, "source": "fixture", "repository": repository, "revision": "1", "path": path}
    return {
        **row,
        "language": language,
        "license": "MIT",
        "license_evidence": "test",
        "domain": "code",
        "split": split,
        **columns,
    }


class StageFolders:
    """Makes input folders from rows and reads output folders back."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.made = 0

    def documents(self, rows, num_shards=2):
        return self._write(rows, num_shards, records.DOCUMENT)

    def conversations(self, rows, num_shards=2):
        return self._write(rows, num_shards, records.CONVERSATION)

    def out(self):
        self.made += 1
        folder = self.root / f"stage-{self.made}"
        folder.mkdir()
        return folder

    def _write(self, rows, num_shards, schema):
        folder = self.out()
        for index in range(num_shards):
            shards.write(folder / "kept" / shards.shard_name(index, num_shards), rows[index::num_shards], schema)
        return folder

    @staticmethod
    def kept(folder, schema=None):
        schema = schema or records.DOCUMENT
        return [row for path in shards.shard_paths(folder / "kept") for row in shards.read(path, schema).to_pylist()]

    @staticmethod
    def rejected(folder):
        paths = shards.shard_paths(folder / "rejected")
        return [row for path in paths for row in shards.read(path, records.REJECTION).to_pylist()]


@pytest.fixture(name="document")
def _document():
    return document


@pytest.fixture
def stages(tmp_path_factory):
    return StageFolders(tmp_path_factory.mktemp("stages"))


@pytest.fixture
def same_bytes():
    """Whether two folders hold the same files with the same bytes."""

    def compare(first, second):
        contents = [
            {str(p.relative_to(f)): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in (first, second)
        ]
        assert contents[0].keys() == contents[1].keys()
        assert [name for name in contents[0] if contents[0][name] != contents[1][name]] == []

    return compare


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with a tokenizer of 300 ids."""
    from corpora.tokenizer import TrainTokenizerConfig, train_tokenizer

    root = tmp_path_factory.mktemp("base")
    rows = [{"id": "a", "text": "def f(x):\n    return x\n" * 5, "split": "train"}]
    shards.write(root / "documents" / "kept" / shards.shard_name(0, 1), rows, records.DOCUMENT)
    train_tokenizer(root, documents=root / "documents", config=TrainTokenizerConfig(vocab_size=300))
    return root
