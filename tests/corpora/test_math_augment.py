"""Renumbered problems, programs and drills: each right by construction, each a function of seed and row."""

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora import benchmarks, records, shards
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import Unusable, read_chain
from corpora.math.drills import DrillGroup, DrillsConfig, augment_drills, shares
from corpora.math.program import ProgramConfig, augment_program, write_program
from corpora.math.renumber import RenumberConfig, augment_renumber, draw, variants
from corpora.math.seeds import SeedsConfig, collect_seeds
from corpora.math.structure import Quantity, analyse
from corpora.math.verify import verify

QUESTION = "Ann buys 14 pens at $3 each and 25 pads at $4 each. How much does she pay?"
SOLUTION = """Pens cost 14 * 3 = $<<14*3=42>>42.
Pads cost 25 * 4 = $<<25*4=100>>100.
She pays 42 + 100 = $<<42+100=142>>142.
#### 142"""


def seed(question=QUESTION, solution=SOLUTION):
    answer = solution.rpartition("####")[2].strip()
    return rows.problem("seed", question, solution, answer, source="t", license="MIT")


@pytest.fixture(scope="module")
def some_seeds(tmp_path_factory):
    """A folder of 120 seeds of GSM8K."""
    folder = tmp_path_factory.mktemp("seeds")
    counts = collect_seeds(folder, config=SeedsConfig(max_seeds=120, num_shards=2))
    assert (counts["kept"], counts["rejected"], counts["sets"]) == (120, 1, {"GSM8K": 120})
    return folder


def kept(folder, part="kept"):
    return [row for path in shards.shard_paths(folder / part) for row in rows.read(path)]


def test_seeds_are_the_published_rows(some_seeds):
    published = {p.id: p for p in benchmarks.load("gsm8k", "train")}
    for row in kept(some_seeds):
        assert row["question"] == published[row["source"]].question.strip()
        assert row["solution"].endswith(f"#### {row['answer']}")
        assert row["license"] == "MIT"


def test_variants_carry_new_numbers_through_question_and_solution():
    made = variants(seed(), RenumberConfig(variants=8))
    assert len({variant.question for variant in made}) == len(made) >= 6
    for variant in made:
        chain = read_chain(variant.solution)
        assert chain.answer == Fraction(variant.answer) != 142
        structure = analyse(variant.question, variant.solution)
        assert structure.constants() == set()
        pens, price, pads, pad_price = (quantity.value for quantity in structure.quantities)
        assert pens * price + pads * pad_price == chain.answer
        assert price < pad_price < pens < pads


@pytest.mark.parametrize(
    ("question", "solution", "reason"),
    [
        (QUESTION, SOLUTION.replace("142", "143"), "step does not give its result"),
        ("Who has the most? Ann has 14.", "<<14+14=28>>28\n#### 28", "comparison or rounding"),
        ("Ann has 14 pens.", "<<14*17=238>>238\n#### 238", "constant not in question"),
        ("Ann has fourteen pens and 1 pad.", "<<1+1=2>>2\n#### 2", "nothing changeable"),
        ("In 1999 and 7 twice 7 pm", "<<1999+1=2000>>2000\n#### 2000", "constant not in question"),
        ("Each of 20 boxes has 20 pens.", "<<20*20=400>>400\n#### 400", "nothing changeable"),
        (QUESTION.replace(". How", " in 2 shops. How"), SOLUTION, "number not used"),
        ("Ann ate 14 figs and the remaining 16 rot.", "<<14+16=30>>30\n#### 30", "comparison or rounding"),
        ("Three pens at $2, six pads at $1.", "<<3*2=6>>6 <<6*1=6>>6 <<6+6=12>>12\n#### 12", "ambiguous reference"),
        ("Ann has 14 pens, a third of them red.", "<<14/3*3=14>>14\n#### 14", "nothing changeable"),
    ],
)
def test_a_seed_that_rules_cannot_carry_is_refused_with_the_reason(question, solution, reason):
    with pytest.raises(Unusable, match=reason):
        variants(seed(question, solution), RenumberConfig())


@pytest.mark.parametrize(
    ("question", "solution", "stays"),
    [
        ("Pay is $13 an hour for 9 hours a day.", "<<13*9=117>>117\n#### 117", "9 hours a day"),
        ("They do 5 jobs at $54 each.", "For the five jobs <<54*5=270>>270\n#### 270", "5 jobs"),
        ("They do 15 jobs at $54 each.", "It was15 <<54*15=810>>810\n#### 810", "15 jobs"),
    ],
)
def test_what_the_words_pin_down_stays(question, solution, stays):
    """Each case is an error seen in variants that were read."""
    for variant in variants(seed(question, solution), RenumberConfig(variants=6)):
        assert stays in variant.question
        assert stays.split()[0] in variant.solution


def test_numbers_beside_an_x_and_articles_follow():
    made = variants(seed("An 8-hour shift at $54.", "54x8=<<54*8=432>>432\n#### 432"), RenumberConfig(variants=12))
    for variant in made:
        pay, hours = analyse(variant.question, variant.solution).quantities[::-1]
        assert variant.solution.startswith(f"{pay.text}x{hours.text}=<<")
        assert int(hours.text) in (8, 11)
    assert len({variant.question for variant in made}) > 6


@given(st.integers(2, 10**6), st.integers(0, 2**32))
def test_drawn_numbers_are_of_the_same_size_and_sort(value, number):
    drawn = draw(Quantity(str(value), 0, 0, Fraction(value), is_percent=False, is_frozen=False), random.Random(number))
    assert drawn.denominator == 1
    assert value // 4 <= drawn <= 2 * value + 4
    if value % 10 == 0 and value >= 40:
        assert drawn % 10 == 0


def test_renumbering_gives_verified_rows_and_reasons(some_seeds, stages):
    out = stages.out()
    counts = augment_renumber(out, problems=some_seeds, config=RenumberConfig(variants=2), engine=Engine())
    made, refused = kept(out), stages.rejected(out)
    assert counts["kept"] == len(made) >= 60
    assert counts["rejected"] == len(refused) == sum(counts["reasons"].values()) == 120 - counts["seeds_used"]
    seeds = {row["id"]: row for row in kept(some_seeds)}
    for row in made:
        assert verify(row)["verdict"] == "verified"
        assert row["question"] != seeds[row["seed"]]["question"]


def test_a_kill_costs_one_shard_and_changes_no_byte(some_seeds, stages, same_bytes, monkeypatch):
    whole, killed = stages.out(), stages.out()
    stage = {"problems": some_seeds, "config": RenumberConfig(variants=1), "engine": Engine()}
    augment_renumber(whole, **stage)

    def kill(_path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        read = rows.read
        patch.setattr(rows, "read", lambda path: kill(path) if path.name == shards.shard_name(1, 2) else read(path))
        with pytest.raises(KeyboardInterrupt):
            augment_renumber(killed, **stage)
    finished = killed / "kept" / shards.shard_name(0, 2)
    written = finished.stat().st_mtime_ns
    augment_renumber(killed, **stage)
    assert finished.stat().st_mtime_ns == written
    same_bytes(whole, killed)


def test_a_program_names_what_the_question_gives():
    program = write_program(analyse(QUESTION, SOLUTION), ProgramConfig())
    assert program.splitlines() == [
        "# quantities of the question",
        "q1 = 14",
        "q2 = 3",
        "q3 = 25",
        "q4 = 4",
        "s1 = q1*q2",
        "s2 = q3*q4",
        "s3 = s1+s2",
        "print(s3)",
    ]


def test_a_number_with_two_sources_stays_a_number():
    structure = analyse("3 cats eat 3 fish each for 0.5 days", "<<3*3=9>>9\n<<9*.50=4.5>>4.5\n#### 4.5")
    assert write_program(structure, ProgramConfig(comment="")) == "q3 = 0.5\ns1 = 3*3\ns2 = s1*q3\nprint(s2)"


def test_programs_print_the_answer(some_seeds, stages):
    """Run here, because they are ours and a jail may be missing; VerifyAnswers runs them in one."""
    out = stages.out()
    counts = augment_program(out, problems=some_seeds, config=ProgramConfig(), engine=Engine())
    assert counts["kept"] == len(kept(out)) >= 80
    assert counts["kept"] + counts["rejected"] == 120
    for row in kept(out):
        printed = []
        exec(row["solution"], {"print": printed.append})
        assert printed[0] == pytest.approx(float(row["answer"].replace(",", "")))


def test_drills_are_right_and_never_held_out_and_trained(stages):
    out = stages.out()
    counts = augment_drills(out, config=DrillsConfig(train_rows=1500, heldout_rows=200))
    trained, heldout = kept(out), kept(out, "heldout")
    assert counts == {"kept": len(trained), "heldout": len(heldout), "rejected": 0}
    assert len(trained) > 1300
    assert 180 < len(heldout) <= 200
    questions = [frozenset(row["question"].split()) for row in (*trained, *heldout)]
    assert not {*questions[: len(trained)]} & {*questions[len(trained) :]}
    for row in (*trained, *heldout):
        assert verify(row)["verdict"] == "verified"
        assert row["solution"].endswith(f"= {row['answer']}\n#### {row['answer']}")


def test_drills_do_not_depend_on_how_many_are_asked_for(stages):
    """More training rows change no held-out row."""
    few, many = stages.out(), stages.out()
    augment_drills(few, config=DrillsConfig(train_rows=50, heldout_rows=100))
    augment_drills(many, config=DrillsConfig(train_rows=500, heldout_rows=100))
    assert kept(few, "heldout") == kept(many, "heldout")
    assert {row["id"] for row in kept(few)} < {row["id"] for row in kept(many)}


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=9), st.integers(1, 1000))
def test_rows_are_shared_out_to_the_last(weights, total):
    groups = [DrillGroup(operation="+", left_digits=1, right_digits=1, weight=weight) for weight in weights]
    sizes = [size for _, size in shares(groups, total)]
    assert sum(sizes) == total
    assert all(abs(size - total * g.weight / sum(weights)) <= 1 for g, size in zip(groups, sizes, strict=True))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SeedsConfig(sources=("gsm8k:test",)), "of a split for training, got 'gsm8k:test'"),
        (lambda: SeedsConfig(num_shards=0), "SeedsConfig.num_shards must be at least 1, got 0"),
        (lambda: RenumberConfig(variants=0), "RenumberConfig.variants must be at least 1, got 0"),
        (lambda: ProgramConfig(comment="x"), "ProgramConfig.comment must be one line that starts with #"),
        (lambda: DrillGroup(operation="%", left_digits=1, right_digits=1), "DrillGroup.operation must be one of"),
        (lambda: DrillsConfig(heldout_fraction=1.0), "DrillsConfig.heldout_fraction must be between 0 and 1"),
        (lambda: DrillsConfig(groups=()), "DrillsConfig.groups must name at least one group"),
    ],
)
def test_wrong_configs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_rows_have_the_columns_of_a_problem():
    assert set(seed()) == set(records.PROBLEM.names)


_TYPING = "60*60=<<60*60=3600>>3600\n14400/3600=<<14400/3600=4>>4\n#### 4"
_LATE = "<<20*13=260>>260 <<260+40=300>>300"


@pytest.mark.parametrize(
    ("question", "solution", "stays"),
    [
        ("Ann types 60 words a minute. How many hours for 14,400?", _TYPING, "60 words"),
        ("In 40 minutes she came 20 minutes late at $13.", f"{_LATE}\n#### 300", "40 minutes she came 20"),
        ("He made 15 3-point shots at $14.", "<<15*3=45>>45 <<45*14=630>>630\n#### 630", "3-point"),
        ("There are 16 dogs with 4 legs at $14.", "<<16*4=64>>64 <<64*14=896>>896\n#### 896", "4 legs"),
        (
            "A rope of 15 feet, 12 inches per foot, at $14.",
            "<<15*12=180>>180 <<180*14=2520>>2520\n#### 2520",
            "12 inches",
        ),
    ],
)
def test_facts_and_bound_numbers_stay(question, solution, stays):
    """Each case is an error seen in variants that were read."""
    made = variants(seed(question, solution), RenumberConfig(variants=8))
    assert made
    assert all(stays in variant.question for variant in made)


def test_percents_keep_their_size_and_nobody_gets_too_old():
    percent = Quantity("20", 0, 0, Fraction(20), is_percent=True, is_frozen=False)
    assert {int(draw(percent, random.Random(n))) for n in range(60)} == {10, 15, 25, 30, 35, 40}
    question = "Ann is 30 years old, her grandmother 3 times as old. How old is her grandmother?"
    made = variants(seed(question, "<<30*3=90>>90\n#### 90"), RenumberConfig(variants=8, tries=40))
    assert all(int(variant.answer) <= 100 for variant in made)


def test_a_sum_in_the_prose_follows_or_the_variant_is_refused():
    question = "Ann gave 5 hats to a home and triple that to another. She threw 15 away of 100. How many are left?"
    solution = (
        "She gives 5+5*3=5+15=<<5+5*3=20>>20.\nThen 100-20=<<100-20=80>>80.\nIn the end 80-15=<<80-15=65>>65.\n#### 65"
    )
    for variant in variants(seed(question, solution), RenumberConfig(variants=8)):
        assert "5+15=" in variant.solution
