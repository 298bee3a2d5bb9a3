"""What a user meets on the command line, in a folder of their own."""

import subprocess
import sys


def test_an_unknown_recipe_is_refused_with_the_known_ones(workplace):
    result = workplace.luigi("BuildCodeQwen", "--recipe", "qwen7b", check=False)
    assert result.returncode != 0
    assert "unknown code recipe 'qwen7b'; choose tiny, laptop" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_source_folder_is_named_with_its_section_and_key(tmp_path):
    from tests.conftest import Workplace

    place = Workplace(tmp_path / "place", extra="[sources]\nmine = /no/such/folder\n")
    result = place.luigi("BuildCodeCorpus", "--recipe", "laptop", check=False)
    assert result.returncode != 0
    assert "[sources] mine" in result.stderr
    assert "/no/such/folder" in result.stderr


def test_a_setting_that_cannot_be_is_refused(tmp_path):
    from tests.conftest import Workplace

    place = Workplace(tmp_path / "place", extra="[launcher]\nkind = pbs\n")
    result = place.pipelines("status", "--recipe", "tiny", check=False)
    assert "[launcher] kind must be one of local, slurm, got 'pbs'" in result.stderr


def test_importing_the_recipes_loads_nothing_heavy():
    heavy = (
        "torch",
        "daft",
        "numba",
        "pyarrow",
        "numpy",
        "transformers",
        "megatron",
        "tokenizers",
        "sympy",
        "datasets",
    )
    code = f"import sys, pipelines; print([name for name in {heavy!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_plan_answers_for_every_recipe_before_anything_is_built(workplace):
    for root in ("BuildCodeQwen", "BuildMathQwen"):
        for recipe in ("tiny", "laptop", "qwen2.5-0.5b", "qwen-1.8b", "qwen-7b", "qwen-14b"):
            assert "nothing has been started" in workplace.pipelines("plan", root, "--recipe", recipe).stdout
    assert not workplace.store.exists()


def test_why_names_an_unknown_stage(workplace):
    result = workplace.pipelines("why", "DropNearDuplicate", check=False)
    assert "no stage is called 'DropNearDuplicate'; choose" in result.stderr


def test_clean_lists_what_nothing_reaches_and_deletes_only_when_told(workplace):
    stray = workplace.store / "FilterCode" / "0123456789ab.partial"
    stray.mkdir(parents=True)
    (stray / "x").write_text("x" * 100)
    assert "partial" in workplace.pipelines("clean").stdout
    assert stray.exists()
    workplace.pipelines("clean", "--yes")
    assert not stray.exists()


def test_clean_leaves_the_indexes_of_earlier_batches(workplace):
    earlier = workplace.store / "IndexDuplicates" / "0123456789ab"
    earlier.mkdir(parents=True)
    with (workplace.folder / "luigi.cfg").open("a") as config:
        config.write(f"[duplicates]\nearlier = {earlier}\n")
    for name in ("index.json", "manifest.json"):
        (earlier / name).write_text('{"fingerprint": "0123456789ab"}')
    workplace.pipelines("clean", "--yes")
    assert earlier.exists()


def test_a_setting_that_is_refused_says_so_without_a_traceback(workplace):
    with (workplace.folder / "luigi.cfg").open("a") as config:
        config.write("[duplicates]\nearlier = nothing\n")
    result = workplace.pipelines("status", check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("luigi.cfg [duplicates] earlier = ")
    assert "Traceback" not in result.stderr
