"""Files of a dataset on the Hugging Face hub, at a pinned commit: listed, and read by ranges without a copy of the whole.

Parquet is read a row group at a time through the hub's file system; only the columns asked for cross the network. What goes
wrong is said with its cure: no token, terms not accepted, no such commit or file, no network.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from corpora.sources.catalog import Dataset
from corpora.sources.tables import Input, matcher

BLOCK_BYTES = 8 << 20
"""Read ahead at a time."""


def inputs(dataset: Dataset) -> list[Input]:
    """List the files of the pinned commit that the dataset's patterns match."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    api = HfApi(endpoint=_endpoint())
    matches = matcher(dataset)
    with said(dataset):
        tree = list(api.list_repo_tree(dataset.hub, recursive=True, revision=dataset.revision, repo_type="dataset"))
    found = sorted(entry.path for entry in tree if isinstance(entry, RepoFile) and matches(entry.path))
    if not found:
        raise ValueError(
            f"{_name(dataset)} has no file like {' or '.join(dataset.files)}; pin the commit that has them"
        )
    return [Input(dataset=dataset, path=path) for path in found]


def open_file(dataset: Dataset, path: str) -> Any:
    """Open one file for reading at any place."""
    from huggingface_hub import HfFileSystem

    with said(dataset):
        files = HfFileSystem(endpoint=_endpoint())
        return files.open(f"datasets/{dataset.hub}@{dataset.revision}/{path}", "rb", block_size=BLOCK_BYTES)


def _endpoint() -> str | None:
    """Let HF_ENDPOINT name a mirror, also where it is set after the library was imported."""
    return os.environ.get("HF_ENDPOINT") or None


def _name(dataset: Dataset) -> str:
    return f"{dataset.hub}@{dataset.revision}"


@contextmanager
def said(dataset: Dataset) -> Iterator[None]:
    """Say what failed and what to do about it."""
    from huggingface_hub import errors

    copy = f"or name a copy in luigi.cfg: [sources] {dataset.name} = FOLDER"
    try:
        yield
    except errors.GatedRepoError:
        raise ValueError(
            f"{_name(dataset)} is gated: accept its terms at https://huggingface.co/datasets/{dataset.hub} "
            f"and set HF_TOKEN to a token of yours, {copy}"
        ) from None
    except errors.RevisionNotFoundError:
        raise ValueError(f"{dataset.hub} has no commit {dataset.revision}; pin one that it has, {copy}") from None
    except errors.RepositoryNotFoundError:
        raise ValueError(
            f"the hub does not show {dataset.hub}: it is not there, or asks for a token (set HF_TOKEN), {copy}"
        ) from None
    except (errors.EntryNotFoundError, FileNotFoundError) as error:
        raise ValueError(f"{_name(dataset)} lacks a file ({error}); pin a commit that has it, {copy}") from None
    except (errors.HTTPError, OSError) as error:
        raise ValueError(
            f"the hub did not answer for {_name(dataset)} ({type(error).__name__}: {error}); "
            f"run the same command again once it does: files that were read are kept; {copy}"
        ) from None
