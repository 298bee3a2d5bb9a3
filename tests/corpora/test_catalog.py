"""Published datasets: each row is whole, is read from a copy in its layout and from a hub, and what fails says its cure."""

import dataclasses
import gzip
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora import SchemaError
from corpora.code.license import PERMISSIVE
from corpora.collect import CollectCodeConfig, CollectTextConfig, Sources, collect_code, collect_text, inventory
from corpora.engine import Engine
from corpora.sources.catalog import CATALOG, Columns, Dataset
from tests.corpora.hub import Hub

ENOUGH = {"kinds": (), "budget_bytes": 10**7, "max_repository_bytes": 10**7, "num_shards": 2, "heldout_fraction": 0.0}
REVISION = "0123456789abcdef0123456789abcdef01234567"
PYTHON = "import os\n\nprint(os.name)\n"


def collect(out, *, places=(), kind=CollectCodeConfig, opt_out=None, **changes):
    config = kind(**{**ENOUGH, **changes})
    run = collect_code if kind is CollectCodeConfig else collect_text
    return run(out, config=config, sources=Sources(folders=tuple(places), opt_out=opt_out), engine=Engine())


def rows_of(dataset, number=4):
    """Rows in the columns of a dataset, with one of a licence that is not allowed."""
    values = {
        "text": PYTHON, "before": "", "message": "Say the name", "repository": "ann/tool", "path": "a.py",
        "revision": "1" * 40, "license": "mit", "language": "Python", "stars": 3, "date": "2024-01-01T00:00:00Z",
        "content": "0" * 39, "bytes": len(PYTHON), "events": [{"author": "ann", "text": PYTHON.strip()}],
    }  # fmt: skip
    found = []
    for index in range(number):
        row = {}
        for field in dataclasses.fields(Columns):
            if column := getattr(dataset.columns, field.name):
                row[column] = values[field.name]
        row[dataset.columns.path] = f"{index}.py"
        if dataset.columns.license:
            row[dataset.columns.license] = "GPL-3.0-only" if index == 3 else "MIT"
            if "licenses" in dataset.columns.license:
                row[dataset.columns.license] = [row[dataset.columns.license]]
        if dataset.columns.content:
            row[dataset.columns.content] = f"{index:040x}"
        if dataset.columns.repository == "url":
            row["url"] = f"https://site{index}.example/page"
        found.append(row)
    return found


def place(root, dataset, rows):
    """Write rows where a copy of the dataset has them."""
    pattern = dataset.files[0].replace("[a-z0-9]*", "python").replace("*", "x")
    path = root / pattern
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def fill(root, names, text=PYTHON):
    root.mkdir(exist_ok=True)
    for name in names:
        (root / name).write_bytes(gzip.compress(text.encode()))


@pytest.mark.parametrize("dataset", CATALOG.values(), ids=lambda one: one.name)
def test_each_row_is_read_from_a_copy_in_its_layout(dataset, tmp_path, stages):
    place(tmp_path / "copy", dataset, rows_of(dataset))
    fill(tmp_path / "contents", [f"{index:040x}" for index in range(4)])
    places = [(dataset.name, str(tmp_path / "copy")), (f"{dataset.name}.contents", str(tmp_path / "contents"))]
    kind = CollectTextConfig if dataset.domain == "text" else CollectCodeConfig
    licenses = (*PERMISSIVE, *([dataset.license] if dataset.license else []))
    out = stages.out()
    metrics = collect(out, places=places, kind=kind, datasets=(dataset.name,), licenses=licenses)
    kept, rejected = stages.kept(out), stages.rejected(out)
    assert [row["reason"] for row in rejected] == (["license_not_allowed"] if dataset.columns.license else [])
    assert metrics["kept"] == len(kept) == 4 - len(rejected)
    for row in kept:
        assert (row["source"], row["domain"]) == (dataset.name, dataset.domain)
        assert row["language"] == {"text": "English", "issues": "Text"}.get(dataset.domain, "Python")
        assert row["stars"] == (3 if dataset.columns.stars else None)
        assert row["date"] == ("2024-01-01T00:00:00Z" if dataset.columns.date else None)
        assert PYTHON.strip() in row["text"]


def test_no_licence_of_a_publisher_is_taken_for_allowed(tmp_path, stages):
    dataset = CATALOG["starcoderdata"]
    place(tmp_path, dataset, rows_of(dataset))
    out = stages.out()
    assert collect(out, places=[(dataset.name, str(tmp_path))], datasets=(dataset.name,))["kept"] == 0
    assert {row["evidence"] for row in stages.rejected(out)} == {f"LicenseRef-starcoderdata ({dataset.evidence})"}


def test_a_commit_is_before_message_after(tmp_path, stages):
    dataset = CATALOG["commitpack"]
    row = rows_of(dataset, 1)[0] | {"old_contents": "a = 1\n", "message": "Double\n", "new_contents": "a = 2\n"}
    row["repos"] = "ann/tool,bob/fork"
    place(tmp_path, dataset, [row, row | {"repos": "cid/x,eve/tool", "commit": "2" * 40}])
    (tmp_path / "out.txt").write_text("eve\n")
    out = stages.out()
    collect(out, places=[(dataset.name, str(tmp_path))], datasets=(dataset.name,), opt_out=str(tmp_path / "out.txt"))
    (kept,) = stages.kept(out)
    assert kept["text"] == "<commit_before>a = 1\n<commit_msg>Double<commit_after>a = 2\n"
    assert (kept["repository"], kept["revision"], kept["domain"]) == ("ann/tool", "1" * 40, "commits")
    assert [(row["reason"], row["evidence"]) for row in stages.rejected(out)] == [("opted_out", "eve")]


def test_contents_that_are_missing_broken_or_bombs_are_rejected(tmp_path, stages):
    dataset = CATALOG["stack-edu"]
    names = [f"{index:040x}" for index in range(3)] + ["../../secret"]
    rows = [
        row | {"blob_id": name, "detected_licenses": ["MIT"]} for row, name in zip(rows_of(dataset), names, strict=True)
    ]
    place(tmp_path / "copy", dataset, rows)
    store = tmp_path / "contents"
    store.mkdir()
    (store / names[1]).write_bytes(gzip.compress(b"x" * 5_000_000))
    (store / names[2]).write_bytes(gzip.compress(PYTHON.encode())[:-9])
    (tmp_path / "secret").write_text("no")
    out = stages.out()
    places = [(dataset.name, str(tmp_path / "copy")), (f"{dataset.name}.contents", str(store))]
    assert collect(out, places=places, datasets=(dataset.name,))["kept"] == 0
    reasons = {row["path"]: row["reason"] for row in stages.rejected(out)}
    assert reasons == {"0.py": "content_missing", "1.py": "file_bytes", "2.py": "corrupt", "3.py": "content_missing"}


def test_contents_come_from_an_object_store(tmp_path, stages):
    import fsspec

    dataset = CATALOG["stack-edu"]
    place(tmp_path, dataset, rows_of(dataset))
    memory = fsspec.filesystem("memory")
    for index in range(2):
        memory.pipe(f"/heritage/content/{index:040x}", gzip.compress(PYTHON.encode()))
    out = stages.out()
    places = [(dataset.name, str(tmp_path)), (f"{dataset.name}.contents", "memory://heritage/content/{id}")]
    assert collect(out, places=places, datasets=(dataset.name,))["kept"] == 2
    assert sorted(row["reason"] for row in stages.rejected(out)) == ["content_missing", "license_not_allowed"]


# The hub ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path, monkeypatch):
    from huggingface_hub import HfFileSystem

    dataset = CATALOG["the-stack-v1-dedup"]
    place(tmp_path / "hub", dataset, rows_of(dataset))
    served = Hub(tmp_path / "hub", name=dataset.hub, revision=dataset.revision)
    monkeypatch.setenv("HF_ENDPOINT", served.endpoint)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    HfFileSystem.clear_instance_cache()
    yield served
    served.close()


def test_the_hub_gives_the_bytes_of_a_copy(hub, stages, same_bytes):
    name = "the-stack-v1-dedup"
    first, second = stages.out(), stages.out()
    assert collect(first, datasets=(name,))["kept"] == 3
    collect(second, places=[(name, str(hub.folder))], datasets=(name,))
    same_bytes(first, second)
    assert all(span for _, path, span in hub.asked if "/resolve/" in path)


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ((403, "GatedRepo"), "is gated: accept its terms at .*HF_TOKEN"),
        ((401, "RepoNotFound"), "asks for a token"),
        ((404, "RevisionNotFound"), "has no commit 1d5c2bd9"),
        ((404, "RepoNotFound"), "does not show bigcode/the-stack-dedup"),
    ],
)
def test_what_the_hub_refuses_says_its_cure(hub, stages, fault, wanted):
    hub.fault = fault
    with pytest.raises(ValueError, match=wanted + r"(.|\n)*\[sources\] the-stack-v1-dedup = FOLDER"):
        collect(stages.out(), datasets=("the-stack-v1-dedup",))


def test_no_network_is_said_and_the_next_run_goes_on(hub, stages, monkeypatch):
    out, name = stages.out(), "the-stack-v1-dedup"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    with pytest.raises(
        ValueError, match=r"did not answer for bigcode/the-stack-dedup@1d5c2bd9.*run the same command again"
    ):
        collect(out, datasets=(name,))
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    assert collect(out, datasets=(name,))["kept"] == 3


def test_a_dataset_without_a_verified_commit_is_pinned_by_the_recipe_or_read_from_a_copy(tmp_path):
    name = "the-stack-v2-dedup"
    assert not CATALOG[name].revision
    with pytest.raises(ValueError, match=rf'revisions=\(\("{name}", "40 hex digits"\),\).*\[sources\] {name} = FOLDER'):
        inventory(CollectCodeConfig(**ENOUGH, datasets=(name,)), Sources())
    pinned = CollectCodeConfig(**ENOUGH, datasets=(name,), revisions=((name, REVISION),))
    assert inventory(pinned, Sources()).keys() == {name}
    place(tmp_path, CATALOG[name], rows_of(CATALOG[name]))
    copy = Sources(folders=((name, str(tmp_path)),))
    assert inventory(CollectCodeConfig(**ENOUGH, datasets=(name,)), copy).keys() == {name}


def test_identity_is_the_commit_and_the_row(tmp_path):
    name = "starcoderdata"
    first = inventory(CollectCodeConfig(**ENOUGH, datasets=(name,)), Sources())
    other = inventory(CollectCodeConfig(**ENOUGH, datasets=(name,), revisions=((name, REVISION),)), Sources())
    assert first != other


@pytest.mark.parametrize(
    ("kind", "changes", "wanted"),
    [
        (CollectCodeConfig, {"datasets": ("fineweb-edu",)}, "is text; name it in collect_text"),
        (CollectTextConfig, {"datasets": ("commitpack",)}, "is commits; name it in collect_code"),
        (CollectCodeConfig, {"datasets": ("stack",)}, "no such name, and the catalog has the-stack-v2-dedup"),
        (CollectCodeConfig, {"revisions": (("commitpack", REVISION),)}, "must pair a name of datasets"),
        (CollectCodeConfig, {"datasets": ("commitpack",), "revisions": (("commitpack", "main"),)}, "40 hex digits"),
    ],
)
def test_what_a_recipe_cannot_mean_is_refused(kind, changes, wanted):
    with pytest.raises(ValueError, match=wanted):
        inventory(kind(**ENOUGH, **changes), Sources())


def test_rows_of_the_catalog_are_whole():
    for row in CATALOG.values():
        assert row.hub
        assert row.evidence
        assert row.terms
        assert not row.columns.content or row.columns.bytes, "the plan would have to fetch every content"
        assert not row.revision or re.fullmatch("[0-9a-f]{40}", row.revision)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"columns": Columns(repository="r", license="l")}, "text or content"),
        ({"columns": Columns(text="t", license="l")}, "repository"),
        ({"columns": Columns(text="t", repository="r")}, "none is no permission"),
        ({"columns": Columns(text="t", repository="r", license="l", before="b")}, "before and message"),
        ({"revision": "main"}, "40 hex"),
        ({"domain": "poems"}, "domain must be of code"),
    ],
)
def test_a_row_that_cannot_be_is_refused(changes, wanted):
    with pytest.raises(ValueError, match=wanted):
        Dataset(**{"name": "x", "columns": Columns(text="t", repository="r", license="l"), **changes})


def test_a_copy_without_the_layout_says_what_is_wanted(tmp_path):
    (tmp_path / "other.parquet").write_bytes(b"")
    with pytest.raises(SchemaError, match=r"has no file like data/\*/\*.parquet for dataset the-stack-v1-dedup"):
        collect(tmp_path / "out", places=[("the-stack-v1-dedup", str(tmp_path))], datasets=("the-stack-v1-dedup",))
