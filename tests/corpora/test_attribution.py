"""Attribution: what is trained on is listed once with its counts, and nothing that is held out or dropped."""

import pyarrow.parquet as pq
import pytest

from corpora import records, shards
from corpora.code.attribution import write_attribution
from corpora.engine import Engine

HEAD = "# Copyright (c) 2020 Jane <EMAIL>\n# Copyright 2021 *The* Team\nimport os\n"


@pytest.fixture
def inputs(stages, document):
    code = [
        document(HEAD, path="a.py", repository="one"),
        document("x = 1\n", path="b.py", repository="one"),
        document("y = 'é'\n", path="c.py", repository="one", license="Apache-2.0 OR MIT", license_evidence="tag"),
        document(HEAD, path="d.py", repository="held", split="heldout"),
        document("z = 1\n", path="e.py", repository="two", license="BSD-3-Clause"),
    ]
    text = [document("words", path="r.md", repository="one", domain="text", language="English")]
    return stages.documents(code), stages.documents(text)


def test_every_repository_and_licence_that_trains_has_one_row(stages, inputs):
    out = stages.out()
    metrics = write_attribution(out, documents=inputs[0], text=inputs[1], engine=Engine())
    rows = shards.read(out / "attribution.parquet", records.ATTRIBUTION).to_pylist()
    found = [(row["repository"], row["license"], row["files"], row["bytes"], row["license_evidence"]) for row in rows]
    assert found == [
        ("one", "Apache-2.0 OR MIT", 1, len("y = 'é'\n".encode()), "tag"),
        ("one", "MIT", 3, len(HEAD) + 6 + 5, "test"),
        ("two", "BSD-3-Clause", 1, 6, "test"),
    ]
    assert sorted(rows[1]["notices"]) == ["Copyright (c) 2020 Jane <EMAIL>", "Copyright 2021 *The* Team"]
    assert metrics == {
        "repositories": 2,
        "files": 5,
        "bytes": sum(row["bytes"] for row in rows),
        "licenses": {"Apache-2.0 OR MIT": 1, "BSD-3-Clause": 1, "MIT": 1},
    }


def test_the_notice_names_them_for_people_and_is_no_markup(stages, inputs):
    out = stages.out()
    write_attribution(out, documents=inputs[0], text=inputs[1], engine=Engine())
    notice = (out / "NOTICE.md").read_text()
    assert "5 files of 2 repositories" in notice
    assert "https://spdx.org/licenses/Apache-2.0.html, https://spdx.org/licenses/MIT.html" in notice
    assert r"Copyright 2021 \*The\* Team" in notice
    assert "held" not in notice
    assert "&lt;EMAIL" in notice


def test_bytes_do_not_depend_on_the_order_of_documents(stages, document, same_bytes):
    rows = [document(f"# Copyright 20{i:02d} A\n", path=f"{i}.py", repository=f"r{i % 3}") for i in range(20)]
    outs = []
    for count, order in ((1, rows), (4, rows[::-1])):
        outs.append(stages.out())
        folder, text = stages.documents(order, count), stages.documents([], 1)
        write_attribution(outs[-1], documents=folder, text=text, engine=Engine())
    same_bytes(*outs)
    assert pq.read_table(outs[0] / "attribution.parquet").num_rows == 3
