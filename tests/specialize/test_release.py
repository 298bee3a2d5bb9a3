"""Release: a missed floor is refused by name and distance; what is released is complete and leads back."""

import json
from dataclasses import replace

import pytest

from specialize import ReleaseRefused
from specialize.release import NOTICES, ReleaseCodeConfig, ReleaseMathConfig, release_code, release_math

CODE = ReleaseCodeConfig(name="code-qwen", license="Apache-2.0", max_code_ratio=0.95, max_text_ratio=1.02)
MATH = ReleaseMathConfig(name="math-qwen", license="Apache-2.0", min_drill_gain=0.3)
SCORE = {"pass_at_1": 0.25, "passed": 1, "n": 4, "low": 0.0456, "high": 0.6994, "not_scored": 0}


def bits(code, text):
    return {"code_bits_per_byte": code, "text_bits_per_byte": text, "humaneval": SCORE}


def match(value, n=10):
    return {"exact_match": value, "correct": 0, "n": n, "low": 0.0, "high": 1.0}


@pytest.fixture
def stages(tmp_path):
    for name in ("Export/aaa", "ExportChat/bbb"):
        folder = tmp_path / name / "hf"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "Evaluate" / "ccc").mkdir(parents=True)
    (tmp_path / "Attribution").mkdir()
    for name in NOTICES:
        (tmp_path / "Attribution" / name).write_text(name)
    (tmp_path / "out").mkdir()
    return tmp_path


def code(stages, base, pretrained, config=CODE):
    report = {"models": {"base": base, "pretrained": pretrained, "chat": bits(1.0, None)}, "settings": {}}
    (stages / "Evaluate" / "ccc" / "report.json").write_text(json.dumps(report))
    where = {
        "chat": stages / "ExportChat/bbb",
        "pretrained": stages / "Export/aaa",
        "evaluation": stages / "Evaluate/ccc",
        "attribution": stages / "Attribution",
    }
    return release_code(stages / "out", **where, config=config)


def math(stages, base, chat):
    (stages / "Evaluate" / "ccc" / "report.json").write_text(json.dumps({"models": {"base": base, "chat": chat}}))
    where = {"chat": stages / "ExportChat/bbb", "evaluation": stages / "Evaluate/ccc"}
    return release_math(stages / "out", **where, config=MATH)


@pytest.mark.parametrize(
    ("pretrained", "message"),
    [
        (bits(0.96, 1.0), r"code_bits_per_byte, CODE-QWEN over base is 0\.9600, .* is 0\.95 \(0\.0100 above it\)"),
        (bits(0.5, 1.1), r"text_bits_per_byte, CODE-QWEN over base is 1\.1000, .* is 1\.02 \(0\.0800 above it\)"),
        (bits(float("nan"), 1.0), "code_bits_per_byte, CODE-QWEN over base is nan"),
        (bits(None, 1.0), r"code_bits_per_byte was not measured, the recipe's bound on it is 0\.95"),
    ],
)
def test_a_code_model_beyond_its_bound_is_refused(stages, pretrained, message):
    with pytest.raises(ReleaseRefused, match=message):
        code(stages, bits(1.0, 1.0), pretrained)
    assert list((stages / "out").iterdir()) == []


def test_a_base_that_was_not_measured_is_refused(stages):
    with pytest.raises(ReleaseRefused, match="text_bits_per_byte was not measured"):
        code(stages, bits(1.0, None), bits(0.9, 1.0))


def test_a_recipe_without_bounds_releases_anything(stages):
    free = replace(CODE, max_code_ratio=None, max_text_ratio=None)
    assert code(stages, bits(1.0, None), bits(9.0, None), free) == {"checkpoints": ["code-qwen", "code-qwen-chat"]}


def test_a_release_is_complete_and_costs_no_disk(stages):
    for _ in range(2):  # again over itself, as after a kill
        code(stages, bits(1.0, 1.0), bits(0.95, 1.02))
    out = stages / "out"
    assert (out / "code-qwen" / "model.safetensors").stat().st_ino == (
        stages / "Export/aaa/hf/model.safetensors"
    ).stat().st_ino
    assert json.loads((out / "lineage.json").read_text()) == {
        "code-qwen": "Export/aaa",
        "code-qwen-chat": "ExportChat/bbb",
        "evaluation": "Evaluate/ccc",
    }
    assert [(out / name).read_text() for name in NOTICES] == list(NOTICES)
    assert json.loads((out / "report.json").read_text())["models"]["base"]["code_bits_per_byte"] == 1.0
    card = (out / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert "| metric | base | pretrained | chat |" in card
    assert "| code_bits_per_byte | 1.0000 | 0.9500 | 1.0000 |" in card
    assert "| text_bits_per_byte | 1.0000 | 1.0200 |  |" in card
    assert "25.0% of 4 (4.6% to 69.9%)" in card


def test_a_math_model_is_measured_against_the_best_prompt_of_its_base(stages):
    base = {"drills": match(0.1), "drills_lenient": match(0.2), "drills_few_shot": match(0.5), "gsm8k": match(0.9)}
    with pytest.raises(ReleaseRefused, match=r"is 0\.200, the recipe's floor is 0\.3 \(0\.100 short\)"):
        math(stages, base, {"drills": match(0.7)})
    assert math(stages, base, {"drills": match(0.8), "gsm8k": match(0.0)}) == {"checkpoints": ["math-qwen-chat"]}
    with pytest.raises(ReleaseRefused, match="no held-out drill was asked"):
        math(stages, base, {"drills": match(0.9, n=0)})
