"""The page of a run: whole from a run's folders alone, safe against what models and documents hold, loading nothing."""

import hashlib
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from corpora import records, shards
from corpora.indexed import IndexedWriter
from pipelines import report_evidence
from pipelines.report import StageRecord, visible, write_report
from pipelines.report_corpus import funnel, makeup
from pipelines.report_plots import HEIGHT, WIDTH, line_chart, thin, ticks
from pipelines.report_training import decode, evaluation_samples, read_progress, tone

HOSTILE = "<script>alert('x')</script></pre>\u202e\x1b[31m & \"quoted\" {{ 7*7 }} <img src=x onerror=alert(1)>"
QUESTION = "Write a function that tells whether a number is even. Grüße, 世界 🎉"
ANSWER = "def is_even(number):\n\treturn number % 2 == 0\n"


def add_stage(root, name, *, inputs=(), seconds=12.5, metrics=None):
    """Make the folder of a stage; its manifest is taken after its files are there, in `finish`."""
    fingerprint = hashlib.sha256(name.encode()).hexdigest()[:12]
    folder = root / name / fingerprint
    folder.mkdir(parents=True)
    manifest = {
        "stage": name,
        "fingerprint": fingerprint,
        "identity": {},
        "inputs": {f"input{index}": stage.key for index, stage in enumerate(inputs)},
        "metrics": metrics or {},
        "started": "2026-03-01T10:20:30+00:00",
        "wall_seconds": seconds,
        "cpu_seconds": seconds * 1.8,
        "peak_memory_bytes": 412_000_000,
        "packages": {"torch": "2.13.0", "daft": "0.7.26"},
        "python": "3.11.2",
        "machine": {"system": "Linux-6.1-x86_64", "processors": 2, "workers": 2},
        "commit": "0123abc",
    }
    return StageRecord(name, folder, manifest)


def finish(stage):
    files = (path for path in sorted(stage.folder.rglob("*")) if path.is_file())
    stage.manifest["files"] = {str(path): {"bytes": path.stat().st_size, "sha256": ""} for path in files}
    (stage.folder / "manifest.json").write_text(json.dumps(stage.manifest))
    return stage


def document(index, *, spdx="MIT", language="Python"):
    return {
        "id": f"{index:032x}",
        "text": f"def function_{index}():\n    return {index}\n" * 20,
        "source": "installed",
        "repository": f"package-{index % 17}",
        "revision": "1.0",
        "path": f"module/file_{index}.py",
        "language": language,
        "license": spdx,
        "license_evidence": "classifier",
        "domain": "code",
        "split": "heldout" if index % 17 == 3 else "train",
    }


def rejection(index, reason, value=None, bound=None):
    return {
        "id": f"{index:032x}",
        "repository": f"package-{index}",
        "path": f"{HOSTILE if index == 0 else 'module'}/file.py",
        "reason": reason,
        "value": value,
        "bound": bound,
    }


def write_rows(stage, kept, rejected=None, schema=None):
    for folder, rows, columns in (
        ("kept", kept, schema or records.DOCUMENT),
        ("rejected", rejected, records.REJECTION),
    ):
        for shard in range(2 if rows is not None else 0):
            shards.write(stage.folder / folder / shards.shard_name(shard, 2), rows[shard::2], columns)


def add_corpus(root):
    licenses = ["MIT"] * 6 + ["Apache-2.0"] * 4 + ["BSD-3-Clause"] * 3 + ["PSF-2.0"]
    rows = [document(index, spdx=licenses[index % 14]) for index in range(400)]
    collect = add_stage(root, "CollectCode", seconds=21.4)
    write_rows(
        collect, rows, [rejection(i, reason) for i, reason in enumerate(["license"] * 61 + ["not_utf8", "empty"])]
    )
    filtered = add_stage(root, "FilterCode", inputs=[collect], seconds=4.2)
    bounds = [rejection(i, "max_line_length", 1203.0 + i, 1000.0) for i in range(13)]
    write_rows(filtered, rows[:350], bounds + [rejection(99, "auto_generated")] * 37)
    counts = {"humaneval": {"items": 164, "found": 2}, "gsm8k": {"items": 1319, "found": 0}}
    deduplicated = add_stage(root, "DropNearDuplicates", inputs=[filtered], seconds=8.0, metrics={"benchmarks": counts})
    write_rows(deduplicated, rows[:290], [rejection(i, "near_duplicate", 0.81, 0.65) for i in range(290, 350)])
    add_evidence(deduplicated, rows)
    text = add_stage(root, "CollectText", seconds=3.0)
    write_rows(text, [document(index, language="English") for index in range(90)])
    return [finish(stage) for stage in (collect, filtered, deduplicated, text)]


def add_evidence(stage, rows):
    """Twelve clusters of one survivor and five that went; a ledger of two benchmarks; redactions in two shards."""
    clusters = [
        {"id": rows[member]["id"], "cluster": rows[first]["id"], "survivor": rows[first]["id"]}
        for first in range(12)
        for member in (first, *range(290 + 5 * first, 295 + 5 * first))
    ]
    columns = [(name, pa.string()) for name in ("id", "cluster", "survivor")]
    shards.write(stage.folder / "clusters.parquet", clusters, pa.schema(columns))
    hits = [
        (0, "humaneval", "HumanEval/3", "dropped"),
        (0, "humaneval", "HumanEval/4", "dropped"),
        (1, "humaneval", "HumanEval/4", "not counted: in 40 training documents"),
        (2, "mbpp", "11", "dropped"),
        (2, "mbpp", "11", "not counted: in 40 training documents"),
    ]
    ledger = [
        {"id": rows[row]["id"], "benchmark": benchmark, "problem": problem, "decision": decision, "rule": "ngram"}
        for row, benchmark, problem, decision in hits
    ]
    shards.write(stage.folder / "ledger.parquet", ledger, records.LEDGER)
    for shard, kinds in enumerate((["email"] * 3, ["email", "github_token"])):
        path = stage.folder / "redactions" / shards.shard_name(shard, 2)
        shards.write(path, [{"id": rows[0]["id"], "kind": kind} for kind in kinds], records.REDACTION)


def make_tokenizer(path):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([QUESTION, ANSWER] * 4, trainer)
    names = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in names])
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return tokenizer


def add_packs(root, base, tokenizer):
    packs = add_stage(root, "Pack", inputs=[base], seconds=1.1)
    tokens = IndexedWriter(packs.folder / "packs", np.int32)
    mask = IndexedWriter(packs.folder / "mask", np.uint8)
    for pack in range(30):
        ids, bits, lengths = [], [], []
        for question in (QUESTION, f"Number {pack}: {HOSTILE}"):
            asked = tokenizer.encode(f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n").ids
            answered = tokenizer.encode(f"{ANSWER * (1 + pack % 3)}<|im_end|>").ids
            ids += asked + answered
            bits += [0] * len(asked) + [1] * len(answered)
            lengths.append(len(asked) + len(answered))
        tokens.add_document(ids, lengths)
        mask.add_document(bits, lengths)
    tokens.close()
    mask.close()
    index = {"packs": 30, "conversations": 60, "tokens": 7000, "learned_tokens": 2400, "seq_length": 256, "dropped": 2}
    shards.write_json(packs.folder / "index.json", index)
    return finish(packs)


def add_training(root, name, inputs, steps=96, seconds=180.0):
    stage = add_stage(root, name, inputs=inputs, seconds=seconds)
    noise = np.random.default_rng(7)
    with (stage.folder / "progress.jsonl").open("w") as stream:
        for step in range(1, steps + 1):
            row = {
                "step": step,
                "loss": 1.1 + 0.5 * math.exp(-step / 20) + noise.normal(0, 0.04),
                "learning_rate": 6e-5 * min(1.0, step / 10),
                "grad_norm": 1.5 + noise.random(),
                "tokens": 512,
                "learned_tokens": 512,
                "tokens_per_second": 221.0 + noise.random(),
                "seconds": 2.3,
            }
            stream.write(json.dumps(row) + "\n")
        stream.write('{"step": 97, "lo')
    return finish(stage)


def score(key, passed, n, low, high, **more):
    return {key: passed / n, "passed": passed, "n": n, "low": low, "high": high, **more}


def add_evaluation(root, inputs):
    import pyarrow as pa
    import pyarrow.parquet as pq

    stage = add_stage(root, "EvaluateCode", inputs=inputs, seconds=140.0)
    models_ = {
        "base": {"code_bits_per_byte": 0.869, "text_bits_per_byte": 0.918},
        "pretrained": {"code_bits_per_byte": 0.834, "text_bits_per_byte": 0.921},
        "chat": {"code_bits_per_byte": 0.841, "text_bits_per_byte": 0.918},
    }
    for model, passed in zip(models_, (3, 4, 6), strict=True):
        models_[model]["humaneval"] = score("pass_at_1", passed, 36, passed / 90, passed / 20, not_scored=4)
    report = {"models": models_, "settings": {"decoding": "greedy", "max_new_tokens": 256, "problems": "first 40"}}
    shards.write_json(stage.folder / "report.json", report)
    rows = [
        {
            "model": model,
            "suite": "humaneval_few_shot" if model == "base" else "humaneval",
            "problem": f"HumanEval/{index}",
            "prompt": f'def is_even_{index}(number: int) -> bool:\n    """{QUESTION}"""\n',
            "gold": "2 + 2 = 4\n#### 4",
            "reply": HOSTILE if index == 0 else ANSWER,
            "status": ("failed", "not_scored", "passed")[(index + order) % 3],
        }
        for index in range(9)
        for order, model in enumerate(models_)
    ]
    pq.write_table(pa.Table.from_pylist(rows), stage.folder / "samples.parquet")
    return finish(stage)


def build_run(root: Path) -> list[StageRecord]:
    """Make a run's folders as the stages write them, small and invented."""
    corpus = add_corpus(root)
    metrics = {"label": "SmolLM2-135M (instruct, 4-bit): stand-in base", "parameters": 134_515_008}
    base = add_stage(root, "ImportBase", seconds=9.0, metrics=metrics)
    tokenizer = make_tokenizer(base.folder / "tokenizer" / "tokenizer.json")
    finish(base)
    tokenize = add_stage(root, "TokenizeCode", inputs=[corpus[2], base])
    prefix = {"domain": "code", "language": "Python", "documents": 270, "tokens": 51_200, "bytes": 180_000}
    prefixes = [{"name": f"code_python_{split}", "split": split, **prefix} for split in ("train", "heldout")]
    shards.write_json(tokenize.folder / "index.json", {"prefixes": prefixes})
    finish(tokenize)
    pretraining = add_training(root, "ContinuePretraining", [tokenize, base])
    packs = add_packs(root, base, tokenizer)
    chat = add_training(root, "FineTune", [pretraining, packs], steps=20)
    return [*corpus, base, tokenize, pretraining, packs, chat, add_evaluation(root, [base, pretraining, chat])]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("store with space")
    return root, build_run(root)


@pytest.fixture(scope="module")
def page(run):
    root, stages = run
    target = root / "BuildCodeQwen" / "laptop-1" / "report.html"
    write_report(target, title="CODE-QWEN", recipe="laptop", stages=stages)
    return target


class Elements(HTMLParser):
    """Collects every element, its attributes, and the text."""

    def __init__(self):
        super().__init__()
        self.elements, self.text, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def elements(page):
    parser = Elements()
    parser.feed(page.read_text(encoding="utf-8"))
    assert parser.open == []
    return parser


def test_hostile_text_stays_text(elements, page):
    """What a document or a model wrote opens no element, sets no attribute, reorders nothing."""
    tags = {tag for tag, _ in elements.elements}
    assert not tags & {"script", "img", "iframe", "object", "link", "form", "embed"}
    assert not [name for _, attributes in elements.elements for name in attributes if name.startswith("on")]
    text = page.read_text(encoding="utf-8")
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "{{ 7*7 }}" in "".join(elements.text)


def test_nothing_is_loaded_from_outside(elements):
    links = [
        value for _, attributes in elements.elements for name, value in attributes.items() if name in ("href", "src")
    ]
    assert links
    assert not [link for link in links if re.match(r"[a-z]+:|//", link)]


def test_links_lead_to_the_manifests(elements, page, run):
    from urllib.parse import unquote

    links = [attributes["href"] for tag, attributes in elements.elements if tag == "a"]
    reached = {(page.parent / unquote(link)).resolve() for link in links}
    assert {(stage.folder / "manifest.json").resolve() for stage in run[1]} <= reached


def test_the_page_says_what_was_built(elements):
    text = " ".join("".join(elements.text).split())
    for part in (
        "SmolLM2-135M",
        "0.834",
        "−4.0%",
        "6 of 36",
        "4 not scored",
        "near duplicate",
        "BSD-3-Clause",
        "51,200",
    ):
        assert part in text
    assert len([tag for tag, attributes in elements.elements if attributes.get("class") == "chart"]) == 6
    assert len([tag for tag, attributes in elements.elements if attributes.get("class") == "card"]) == 12


def test_a_run_with_nothing_but_an_empty_stage_has_a_page(tmp_path):
    stage = finish(add_stage(tmp_path, "CollectNothing"))
    write_report(tmp_path / "page" / "report.html", title="T", recipe="tiny", stages=[stage])
    assert "CollectNothing" in (tmp_path / "page" / "report.html").read_text(encoding="utf-8")


def test_the_same_run_gives_the_same_page_but_for_the_time(page, run, tmp_path):
    second = page.with_name("second.html")
    write_report(second, title="CODE-QWEN", recipe="laptop", stages=run[1])
    texts = [re.sub(r"Written [^ ]+", "", path.read_text(encoding="utf-8")) for path in (page, second)]
    assert texts[0] == texts[1]


def test_funnel_follows_rows_of_a_kind_and_counts_reasons(run):
    code, text = funnel(run[1])
    assert [(row.stage.name, row.entered, row.kept) for row in code.rows] == [
        ("CollectCode", 463, 400),
        ("FilterCode", 400, 350),
        ("DropNearDuplicates", 350, 290),
    ]
    assert [(reason.name, reason.count) for reason in code.rows[1].reasons] == [
        ("auto_generated", 37),
        ("max_line_length", 13),
    ]
    assert code.rows[1].reasons[1].bound == 1000.0
    assert [row.stage.name for row in text.rows] == ["CollectText"]


def test_makeup_counts_the_last_stage(run):
    code = makeup(funnel(run[1])[0])
    assert code.stage.name == "DropNearDuplicates"
    assert code.documents == 290
    assert code.repositories == 17
    assert sum(count for _, count in code.bars[1][1]) == 290


@pytest.mark.parametrize("text", [QUESTION, ANSWER, HOSTILE, "é" * 40, "\ufffd", ""])
def test_decoded_pieces_make_up_the_text(text, run):
    tokenizer = Tokenizer.from_file(str(run[1][4].folder / "tokenizer" / "tokenizer.json"))
    ids = tokenizer.encode(f"<|im_start|>{text}<|im_end|>").ids
    pieces = list(decode(tokenizer, ids, [False] * len(ids)))
    assert "".join(piece.text for piece in pieces) == f"<|im_start|>{text}<|im_end|>"
    assert [int(token) for piece in pieces for token in piece.ids.split()] == ids
    assert [piece.is_special for piece in pieces] == [True, *[False] * (len(pieces) - 2), True]


def test_progress_keeps_the_last_row_of_a_step_and_skips_a_torn_line(tmp_path):
    path = tmp_path / "progress.jsonl"
    path.write_text('{"step": 1, "loss": 3}\n{"step": 2, "loss": 9}\n{"step": 2, "loss": 2}\n{"step": 3, "lo')
    assert read_progress(path) == [{"step": 1, "loss": 3}, {"step": 2, "loss": 2}]


def test_samples_are_the_same_problems_for_every_model(run):
    samples = evaluation_samples(run[1][-1])
    assert {(sample.suite, sample.gold) for sample in samples} == {("humaneval", "4")}
    assert [sample.problem for sample in samples] == ["HumanEval/0", "HumanEval/3", "HumanEval/6"]
    models = [[reply.model for reply in sample.replies] for sample in samples]
    assert models == [["base, few-shot", "CODE-QWEN", "CODE-QWEN-CHAT"]] * 3


@pytest.mark.parametrize(("status", "expected"), [("passed", "good"), ("timeout", "bad"), ("not_scored", "neutral")])
def test_tone(status, expected):
    assert tone(status) == expected


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\u200b", "\u2066", "\x7f", "\ue000"])
def test_what_cannot_be_seen_is_named(text):
    assert visible(text).isprintable()


def test_joiners_and_line_breaks_stay():
    assert visible("a\n\tb 👩\u200d💻\u00a0") == "a\n\tb 👩\u200d💻\u00a0"


@pytest.mark.parametrize(
    "values",
    [[1.0], [2.0, 2.0], [0.0, 0.0], [-1.0, 5.0], [math.nan, 1.0, math.inf, 3.0], [1e-9, 2e-9], list(range(5000))],
)
def test_a_chart_stays_inside_its_frame(values):
    chart = line_chart([(step, float(value)) for step, value in enumerate(values)], title="t", x_label="x")
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", chart.line + chart.raw)]
    assert numbers
    assert all(0 <= x <= WIDTH for x in numbers[::2])
    assert all(0 <= y <= HEIGHT for y in numbers[1::2])


def test_a_chart_without_values_has_no_line():
    assert line_chart([(1.0, math.nan)], title="t", x_label="x").line == ""
    assert line_chart([], title="t", x_label="x").line == ""


def test_a_spike_survives_thinning():
    points = [(float(x), 100.0 if x == 777 else 0.0) for x in range(10_000)]
    assert (777.0, 100.0) in thin(points)
    assert len(thin(points)) <= 501


def test_ticks_enclose_the_values():
    assert ticks(0.83, 1.61, 4) == [0.8, 1.0, 1.2, 1.4, 1.6, 1.8]
    assert ticks(5.0, 5.0, 4)[0] <= 5.0 <= ticks(5.0, 5.0, 4)[-1]


def test_importing_the_page_loads_nothing_heavy():
    heavy = ("jinja2", "pyarrow", "tokenizers", "numpy", "rich")
    code = f"import sys, pipelines.report, pipelines.console; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_what_left_is_told_with_its_evidence(run, page):
    (found,) = report_evidence.duplicates(run[1])
    assert (found.clusters, found.documents, found.sizes) == (12, 72, (("5 to 9", 12),))
    assert found.largest[0].size == 6
    assert found.largest[0].survivor == "package-0/module/file_0.py"
    assert found.largest[0].removed[0] == "package-290/module/file.py"
    counted = [
        (row.benchmark, row.problems, row.items, row.dropped, row.spared) for row in report_evidence.ledger(run[1])
    ]
    assert counted == [("gsm8k", 0, 1319, 0, 0), ("humaneval", 2, 164, 1, 1), ("mbpp", 1, None, 1, 0)]
    assert [kinds for _, kinds in report_evidence.redactions(run[1])] == [(("email", 4), ("github_token", 1))]
    html = page.read_text(encoding="utf-8")
    assert 'href="#left"' in html
    assert "72 documents in 12 clusters" in html
    assert "github token" in html
