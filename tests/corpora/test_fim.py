"""Fill-in-the-middle: what is laid out gives the file back; rates are kept; held-out files and texts are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import records
from corpora.code.fim import PSM, SPM, Cut, FimConfig, apply_fim, draw, pieces, restore
from corpora.code.order import OrderConfig, order_repositories
from corpora.engine import Engine


@given(st.text(), st.text(max_size=8), st.floats(0, 1), st.integers(0, 99))
def test_the_inverse_of_the_layout_is_the_file(text, name, spm_rate, seed):
    cut = draw(name, text, FimConfig(rate=1.0, spm_rate=spm_rate, seed=seed))
    assert cut is not None
    assert 0 <= cut.start <= cut.end <= len(text)
    assert restore(pieces(text, cut)) == text
    assert restore(pieces(text, None)) == text


@given(st.text(), st.sampled_from([PSM, SPM]), st.data())
def test_any_cut_gives_the_file_back(text, order, data):
    start = data.draw(st.integers(0, len(text)))
    cut = Cut(order, start, data.draw(st.integers(start, len(text))))
    laid_out = pieces(text, cut)
    assert restore(laid_out) == text
    assert [role for role, _ in laid_out if role] == ["fim_prefix", "fim_suffix", "fim_middle"]


def test_shares_are_those_of_the_config():
    config = FimConfig(rate=0.5, spm_rate=0.25)
    orders = [cut.order for n in range(4000) if (cut := draw(str(n), "x" * 100, config))]
    assert len(orders) == pytest.approx(2000, abs=130)  # 4 standard deviations
    assert orders.count(SPM) == pytest.approx(len(orders) / 4, abs=110)


def test_points_are_even_over_the_file():
    cuts = [draw(str(n), "x" * 9, FimConfig(rate=1.0)) for n in range(6000)]
    points = [point for cut in cuts for point in (cut.start, cut.end)]
    assert [points.count(place) for place in range(10)] == pytest.approx([1200] * 10, abs=140)


def run(stages, documents, *, workers=1, out=None, **config):
    out = out or stages.out()
    return out, apply_fim(out, documents=documents, config=FimConfig(**config), engine=Engine(workers=workers))


@pytest.fixture
def arranged(stages, document):
    rows = [document(f"x = {n}\n" * 9, path=f"{n}.py", repository=f"r{n % 10}") for n in range(60)]
    rows += [document("y = 1\n" * 9, path=f"h{n}.py", repository="held", split="heldout") for n in range(20)]
    out = stages.out()
    order_repositories(out, documents=stages.documents(rows, 1), config=OrderConfig(), engine=Engine())
    return out


def test_training_files_are_cut_and_no_text_changes(stages, arranged):
    out, metrics = run(stages, arranged, rate=1.0)
    before, after = (stages.kept(folder, records.ARRANGED) for folder in (arranged, out))
    columns = ("fim", "fim_start", "fim_end")
    assert [row | dict.fromkeys(columns) for row in after] == before
    assert {row["split"] for row in after if row["fim"]} == {"train"}
    assert {row["fim"] for row in after if row["split"] == "train"} == {PSM, SPM}
    assert metrics == {"kept": 80, "psm": metrics["psm"], "spm": 60 - metrics["psm"]}


def test_a_part_is_chosen_as_a_whole(stages, arranged):
    out, _ = run(stages, arranged, rate=1.0, part_rate=0.5)
    moved = {}
    for row in stages.kept(out, records.ARRANGED):
        moved.setdefault(row["part"], set()).add(row["fim"] is not None)
    assert {True} in moved.values()
    assert all(len(found) == 1 for found in moved.values())


def test_rate_0_moves_nothing(stages, arranged):
    out, metrics = run(stages, arranged)
    assert stages.kept(out, records.ARRANGED) == stages.kept(arranged, records.ARRANGED)
    assert (metrics["psm"], metrics["spm"]) == (0, 0)


def test_two_workers_and_a_killed_run_write_the_same_bytes(stages, document, same_bytes, monkeypatch):
    source = stages.out()
    rows = [document(f"x = {n}\n" * 9, path=f"{n}.py") for n in range(9)]
    order_repositories(source, documents=stages.documents(rows), config=OrderConfig(), engine=Engine())
    whole, metrics = run(stages, source, rate=0.5)
    same_bytes(whole, run(stages, source, rate=0.5, workers=2)[0])
    out = stages.out()
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(stages, source, rate=0.5, out=out)
    monkeypatch.undo()
    assert run(stages, source, rate=0.5, out=out)[1] == metrics
    same_bytes(whole, out)


@pytest.mark.parametrize("field", ["rate", "spm_rate", "part_rate"])
def test_a_rate_is_a_share(field):
    with pytest.raises(ValueError, match=rf"FimConfig\.{field} must be a share from 0 to 1, got 1.5"):
        FimConfig(**{field: 1.5})


def test_commits_stand_alone_and_are_neither_parsed_nor_cut(stages, document):
    """A commit is no file of its repository, and its text no program."""
    from corpora.code.syntax import SyntaxConfig, gate_syntax

    text = "def f(:\n<message>\nfix\n"
    rows = [document(f"x = {n}\n", path=f"{n}.py") for n in range(3)]
    rows += [document(text + str(n), path="0.py", domain=records.COMMITS) for n in range(3)]
    parsed, ordered = stages.out(), stages.out()
    gate_syntax(parsed, documents=stages.documents(rows, 1), config=SyntaxConfig(), engine=Engine())
    order_repositories(ordered, documents=parsed, config=OrderConfig(), engine=Engine())
    out, metrics = run(stages, ordered, rate=1.0)
    assert metrics["kept"] == 6
    assert metrics[PSM] + metrics[SPM] == 3
    found = stages.kept(out, records.ARRANGED)
    parts = {domain: [row["part"] for row in found if row["domain"] == domain] for domain in ("code", "commits")}
    assert len(set(parts["code"])) == 1
    assert len(set(parts["commits"])) == 3
    assert {row["part_language"] for row in found} == {"Python"}
    assert all(row["fim"] is None for row in found if row["domain"] == "commits")
