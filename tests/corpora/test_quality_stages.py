"""Quality from labels to dropped files: both origins of labels, the model's files, the bounds, and the place in the recipe."""

import dataclasses
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora import SchemaError, records, shards
from corpora.engine import Engine
from corpora.quality import model as models
from corpora.quality import sample
from corpora.quality.config import FileLabels, FitConfig, QualityBound, QualityConfig, ScoreConfig, TeacherLabels
from corpora.quality.labels import LabelFiles, ask_teacher, inventory, read_labels
from corpora.quality.score import score_quality
from corpora.quality.train import train_quality
from corpora.teacher import Reply
from pipelines import code_qwen
from pipelines.recipes.code import CODE
from pipelines.stage import ancestry

FIT = FitConfig(bucket_bits=12, min_labels=60)
HOSTILE = "<script>alert(1)</script> | `` ``` [x](http://y) \x1b[31m"


def rows_of(document, count=240, **columns):
    """Files of two languages; the word `good` or `poor` decides the label of each."""
    draw, rows = np.random.default_rng(3), []
    for number in range(count):
        word = "good" if draw.random() < 0.5 else "poor"
        text = f"def {word}_{number % 7}():\n    {word} = w{draw.integers(40)}\n    return w{draw.integers(40)}  # {word}\n"
        language = ("Python", "C")[number % 2]
        rows.append(document(text, path=f"f{number}", repository=f"r{number % 40}", language=language, **columns))
    return rows


def label_of(row):
    return 5.0 if "good" in row["text"] else 0.0


@pytest.fixture
def corpus(stages, document):
    rows = rows_of(document)
    rows[0] = document(f"# good {HOSTILE}\n" * 5, path=HOSTILE, repository="r0", language="Python")
    return stages.documents(rows, num_shards=3), rows


def write(path, **columns):
    pq.write_table(pa.table(columns), path)
    return LabelFiles(files=(("mine", str(path)),))


@pytest.fixture
def labels(stages, corpus, tmp_path):
    documents, rows = corpus
    files = write(tmp_path / "l.parquet", id=[row["id"] for row in rows], label=[label_of(row) for row in rows])
    out = stages.out()
    read_labels(out, documents=documents, config=FileLabels(name="mine"), label_files=files, engine=Engine())
    return out


@pytest.fixture
def model(stages, labels):
    out = stages.out()
    train_quality(out, labels=labels, config=FIT)
    return out


def test_labels_by_id_get_the_text_of_the_corpus_and_unknown_ids_are_counted(stages, corpus, tmp_path):
    documents, rows = corpus
    files = write(tmp_path / "l.parquet", id=[rows[3]["id"], "nobody"], label=[True, False])
    out = stages.out()
    metrics = read_labels(
        out, documents=documents, config=FileLabels(name="mine", max_bytes=9), label_files=files, engine=Engine()
    )
    (row,) = pq.read_table(out / "labels.parquet").to_pylist()
    assert (row["text"], row["label"], row["language"]) == (rows[3]["text"][:9], 5.0, "C")
    assert (metrics["labels"], metrics["given"], metrics["unknown"]) == (1, 2, 1)
    digest = inventory(FileLabels(name="mine"), files)
    write(tmp_path / "l.parquet", id=["x"], label=[1])
    assert inventory(FileLabels(name="mine"), files) != digest


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["x"], "label": [1]}, r"has the columns text, label; it needs label"),
        ({"id": ["x"]}, "it needs label"),
        ({"id": ["x", "y"], "label": [1, 6]}, r"the label 6 in row 1; it must be 0 to 5"),
        ({"id": ["x"], "label": [None]}, "the label None in row 0"),
        ({"id": ["x"], "label": ["3"]}, "the label '3' in row 0"),
        ({"id": ["x"], "label": [float("nan")]}, "the label nan in row 0"),
        ({"id": [None], "label": [1]}, "lacks id in row 0"),
        ({"text": ["x"], "language": [None], "label": [1]}, "lacks text or language in row 0"),
        ({"id": pa.array([], pa.string()), "label": pa.array([], pa.float64())}, "has no rows"),
        ({"id": ["x"], "label": [1]}, "none of its 1 ids"),
    ],
)
def test_bad_labels_are_refused_with_file_and_row(stages, corpus, tmp_path, columns, message):
    files = write(tmp_path / "bad.parquet", **columns)
    with pytest.raises(SchemaError, match=message) as caught:
        read_labels(
            stages.out(), documents=corpus[0], config=FileLabels(name="mine"), label_files=files, engine=Engine()
        )
    assert "bad.parquet" in str(caught.value)


def test_a_name_without_a_file_is_refused_with_its_line():
    with pytest.raises(ValueError, match=r"luigi\.cfg \[labels\]: mine = FILE\.parquet"):
        LabelFiles().path("mine")
    with pytest.raises(ValueError, match=r"\[labels\] mine = /no/file: no such file"):
        LabelFiles(files=(("mine", "/no/file"),)).path("mine")


class Grader:
    """A teacher that knows the word."""

    def __init__(self, say=None):
        self.requests = []
        self.say = say or (lambda text: json.dumps({"grade": 5 if "good" in text else 0}))

    def complete(self, requests):
        for request in requests:
            self.requests.append(request)
            yield Reply(text=self.say(request.messages[1].content), finish="stop")


def test_a_teacher_grades_a_sample_of_the_training_files_whatever_the_shards(stages, document):
    rows = rows_of(document)
    rows += [document(f"good {n}", path=f"h{n}", repository="h", split="heldout") for n in range(50)]
    rows += [document(f"good {n}", path=f"t{n}", repository="t", domain="text") for n in range(50)]
    rows += [document(f"good {n}", path=f"g{n}", repository="g", language="Go") for n in range(5)]
    config, outs = TeacherLabels(model="m", documents=45), []
    for num_shards in (1, 4):
        outs.append(stages.out())
        documents, teacher = stages.documents(rows, num_shards), Grader()
        metrics = ask_teacher(outs[-1], documents=documents, config=config, teacher=teacher, engine=Engine())
        assert (metrics["labels"], len(teacher.requests)) == (45, 45)
    first, second = (pq.read_table(out / "labels.parquet").to_pylist() for out in outs)
    assert first == second
    by_language = {name: sum(row["language"] == name for row in first) for name in ("C", "Go", "Python")}
    assert by_language == {"C": 20, "Go": 5, "Python": 20}
    assert {row["repository"] for row in first} <= {f"r{n}" for n in range(40)} | {"g"}
    assert all(row["label"] == label_of(row) for row in first)


def test_a_teacher_that_does_not_grade_is_refused_early(stages, corpus):
    teacher = Grader(lambda _: "I like it.")
    with pytest.raises(ValueError, match=r"20 of 20 replies .* no grade, the last one 'I like it\.' .*another model"):
        ask_teacher(
            stages.out(), documents=corpus[0], config=TeacherLabels(model="m"), teacher=teacher, engine=Engine()
        )
    assert len(teacher.requests) == 20


def test_a_model_learns_what_decides_and_reports_it(model, corpus):
    report = json.loads((model / "report.json").read_text())
    overall = report["languages"]["all languages"]
    assert overall["count"] == 240
    assert overall["auc"] > 0.97
    assert overall["spearman"] > 0.7
    assert overall["calibration_error"] < 0.1
    assert [gram for gram, _ in report["features"]["all languages"]["best"]][:3].count("good") == 1
    assert "poor" in [gram for gram, _ in report["features"]["all languages"]["worst"]][:6]
    assert [len(report["examples"]), report["examples"][0]["label"], report["examples"][-1]["label"]] == [10, 0, 5]


def test_labels_by_chance_are_not_learned(stages, labels):
    table = pq.read_table(labels / "labels.parquet")
    chance = np.random.default_rng(0).permutation(table["label"].to_numpy())
    shards.write(labels / "labels.parquet", table.set_column(5, "label", pa.array(chance)), records.LABEL)
    metrics = train_quality(stages.out(), labels=labels, config=FIT)
    assert abs(metrics["auc"] - 0.5) < 0.15


def test_the_report_to_read_holds_nothing_that_acts(model):
    text = (model / "report.md").read_text()
    outside = [line for line in text.splitlines() if not line.startswith("    ")]
    assert "<script" not in "".join(outside)
    assert "](" not in "".join(outside)
    assert "\x1b" not in text


def test_the_same_labels_make_the_same_bytes_whatever_the_threads(stages, labels, model, same_bytes, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    again = stages.out()
    train_quality(again, labels=labels, config=FIT)
    same_bytes(model, again)


def test_a_model_is_read_back_as_it_was_and_a_foreign_one_is_refused(model, tmp_path, stages):
    loaded, again = models.load(model), stages.out()
    models.save(again, loaded)
    assert (again / "model.npz").read_bytes() == (model / "model.npz").read_bytes()
    for change in ({"format": 9}, {"signals": []}, {"languages": ["Go", "C", "Ada"]}, {"calibrations": {"": {}}}):
        broken = tmp_path / next(iter(change))
        shutil.copytree(model, broken)
        shards.write_json(broken / "model.json", shards.read_json(model / "model.json") | change)
        with pytest.raises(SchemaError):
            models.load(broken)
    np.savez(again / "model.npz", weights=np.array([{"a": 1}], object))
    with pytest.raises(SchemaError, match="no readable quality model"):
        models.load(again)


def score(stages, documents, model, *bounds, engine=None):
    out = stages.out()
    config = ScoreConfig(bounds=bounds)
    return out, score_quality(out, documents=documents, model=model, config=config, engine=engine or Engine())


def test_without_a_bound_all_stay_and_every_score_is_written(stages, corpus, model):
    out, metrics = score(stages, corpus[0], model)
    assert (metrics["kept"], metrics["rejected"], metrics["scored"]) == (240, 0, 240)
    rows = [row for path in shards.shard_paths(out / "scores") for row in pq.read_table(path).to_pylist()]
    text = {row["id"]: row["text"] for row in corpus[1]}
    good = np.array(["good" in text[row["id"]] for row in rows])
    assert np.mean([row["score"] for row in rows if "good" in text[row["id"]]]) > 4
    assert all(0 <= row["score"] <= 5 and 0 <= row["probability"] <= 1 for row in rows)
    assert good.sum() == sum("good" in row["text"] for row in corpus[1])


def test_the_bad_leave_by_each_measure_with_value_and_bound(stages, corpus, model):
    for bound in (QualityBound(score=2.5), QualityBound(probability=0.5)):
        out, metrics = score(stages, corpus[0], model, bound)
        poor = {row["path"] for row in corpus[1] if "poor" in row["text"]}
        gone = stages.rejected(out)
        assert len(poor ^ {row["path"] for row in gone}) < 12
        assert {row["reason"] for row in gone} == {"quality"}
        assert all(row["value"] < row["bound"] == bound.least for row in gone)
        assert metrics["reasons"] == {"quality": len(gone)}


def test_a_quantile_is_of_a_language_over_all_shards(stages, corpus, model):
    out, metrics = score(stages, corpus[0], model, QualityBound(quantile=0.25, languages=("C",)))
    gone = stages.rejected(out)
    assert {row["path"] for row in gone} <= {row["path"] for row in corpus[1] if row["language"] == "C"}
    assert 24 <= len(gone) <= 30
    assert metrics["bounds"]["C"]["measure"] == "margin"
    whole, _ = score(stages, stages.documents(corpus[1], 1), model, QualityBound(quantile=0.25, languages=("C",)))
    assert {row["id"] for row in stages.rejected(whole)} == {row["id"] for row in gone}


def test_what_is_no_source_stays_unscored(stages, document, model):
    documents = stages.documents([document("poor poor", domain="text"), document("poor poor", path="b.py")])
    out, metrics = score(stages, documents, model, QualityBound(score=5))
    assert [row["path"] for row in stages.kept(out)] == ["a.py"]
    assert metrics["scored"] == 1


def test_a_killed_run_resumes_to_the_same_bytes(stages, corpus, model, same_bytes):
    bound = QualityBound(quantile=0.5)
    out, killed = (score(stages, corpus[0], model, bound)[0] for _ in range(2))
    same_bytes(out, killed)
    shutil.rmtree(killed / "kept")
    (killed / "scores" / shards.shard_name(1, 3)).unlink()
    score_quality(killed, documents=corpus[0], model=model, config=ScoreConfig(bounds=(bound,)), engine=Engine())
    same_bytes(out, killed)


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_bytes(stages, corpus, model, same_bytes):
    bound = QualityBound(quantile=0.5)
    one, two = (score(stages, corpus[0], model, bound, engine=Engine(workers=n))[0] for n in (1, 2))
    same_bytes(one, two)


def test_the_sample_of_few_is_all(stages, document):
    documents = stages.documents([document("x", path=f"{n}") for n in range(5)])
    assert len(sample.choose(documents, Engine(), count=100, seed=1)) == 5


LABELS = {"file": FileLabels(name="mine"), "teacher": TeacherLabels(model="m")}


@pytest.mark.parametrize("origin", LABELS)
def test_quality_and_malware_stand_in_the_graph_where_a_recipe_asks_for_them(origin, monkeypatch):
    from corpora.code.malware import MalwareConfig

    monkeypatch.setattr("pipelines.stage._inventory", lambda reference, config, machine: {"a": "b"})
    plain = CODE["tiny"]()
    both = dataclasses.replace(
        plain, quality=QualityConfig(labels=LABELS[origin]), malware=MalwareConfig(signatures="ClamAV 1")
    )
    monkeypatch.setitem(code_qwen.CODE, f"scored by {origin}", lambda: both)
    monkeypatch.setitem(code_qwen.CODE, f"not scored by {origin}", lambda: plain)  # Luigi keeps stages by their names
    edges = {
        (type(need).__name__, type(stage).__name__)
        for stage in ancestry(code_qwen.GateSyntax(recipe=f"scored by {origin}"))
        for need in stage.inputs.values()
    }
    labelled = {"file": "ReadLabels", "teacher": "AskTeacher"}[origin]
    assert edges >= {
        ("DropNearDuplicates", "ScanMalware"),
        ("ScanMalware", "RedactSecrets"),
        ("RedactSecrets", labelled),
        (labelled, "TrainQuality"),
        ("TrainQuality", "ScoreQuality"),
        ("RedactSecrets", "ScoreQuality"),
        ("ScoreQuality", "GateSyntax"),
    }
    assert ("RedactSecrets", "GateSyntax") not in edges
    off = {type(stage).__name__ for stage in ancestry(code_qwen.ReleaseCode(recipe=f"not scored by {origin}"))}
    assert not off & {"ScanMalware", "ReadLabels", "AskTeacher", "TrainQuality", "ScoreQuality"}
