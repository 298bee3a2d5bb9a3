"""The MATH-QWEN recipe, stage by stage: read it from top to bottom (QWEN report, section 5).

Seeds with a worked solution are augmented by rules, every row is recomputed, what touches a benchmark leaves, and the
base of the code recipe of the same name is fine-tuned at 1024 with system and user masked.
"""

from typing import ClassVar

from pipelines.code_qwen import base_of
from pipelines.machine import GPU, TRAINING
from pipelines.recipes.math import MATH
from pipelines.root import Root
from pipelines.stage import RecipeParameter, Stage, requires


class MathStage(Stage):
    """A stage whose config is a field of a math recipe."""

    recipes = MATH
    recipe = RecipeParameter("math", MATH)


# Data ------------------------------------------------------------------------------------------------


class CollectSeeds(MathStage):
    """Read the seed problems with their solutions."""

    config = "seeds"
    build = "corpora.math.seeds:collect_seeds"


@requires(problems=CollectSeeds)
class DecontaminateSeeds(MathStage):
    """Drop seeds that overlap a benchmark, before anything is made from them."""

    version = 2
    config = "decontaminate"
    build = "corpora.math.decontaminate:decontaminate_seeds"


@requires(problems=DecontaminateSeeds)
class AugmentRenumber(MathStage):
    """Change the numbers of a problem and carry them through its solution."""

    config = "renumber"
    build = "corpora.math.renumber:augment_renumber"


@requires(problems=DecontaminateSeeds)
class AugmentProgram(MathStage):
    """Write the solution of a problem as a program."""

    config = "program"
    build = "corpora.math.program:augment_program"


class AugmentDrills(MathStage):
    """Generate arithmetic drills from a seed; set some apart as held-out."""

    config = "drills"
    build = "corpora.math.drills:augment_drills"


@requires(problems=DecontaminateSeeds, renumber=AugmentRenumber, program=AugmentProgram, drills=AugmentDrills)
class VerifyAnswers(MathStage):
    """Recompute every row exactly and run every program in the sandbox; keep what agrees."""

    config = "verify"
    build = "corpora.math.verify:verify_answers"


@requires(problems=VerifyAnswers)
class DecontaminateMath(MathStage):
    """Drop rows that overlap a benchmark, numbers masked too, with a ledger of every hit."""

    version = 2
    config = "decontaminate"
    build = "corpora.math.decontaminate:decontaminate_math"


@requires(problems=DecontaminateMath)
class WriteMathData(MathStage):
    """Write the instructions as a dataset that `datasets.load_dataset` reads, with its card."""

    config = "dataset"
    build = "corpora.math.dataset:write_dataset"


@requires(conversations=WriteMathData, base=base_of)
class PackMath(MathStage):
    """Write conversations as packs of 1024 tokens, system and user masked."""

    config = "pack"
    build = "corpora.pack:pack"


# Supervised fine-tuning ------------------------------------------------------------------------------


@requires(model=base_of, packs=PackMath)
class FineTuneMath(MathStage):
    """Teach the base mathematics: MATH-QWEN-CHAT."""

    config = "fine_tune"
    place = TRAINING
    build = "specialize.train:fine_tune"


# Release ---------------------------------------------------------------------------------------------


@requires(model=FineTuneMath)
class ExportMath(MathStage):
    """Write MATH-QWEN-CHAT as a folder that transformers loads."""

    config = "export"
    build = "specialize.export:export"


@requires(base=base_of, chat=ExportMath, drills=AugmentDrills)
class EvaluateMath(MathStage):
    """Score the base at its best prompt and MATH-QWEN-CHAT on held-out drills and GSM8K."""

    config = "evaluate"
    place = GPU
    build = "specialize.evaluate_math:evaluate_math"


@requires(chat=ExportMath, evaluation=EvaluateMath)
class ReleaseMath(MathStage):
    """Put checkpoint, card, scores and lineage together, unless a floor of the recipe is missed."""

    config = "release"
    build = "specialize.release:release_math"


# What to type ----------------------------------------------------------------------------------------


class BuildMathData(Root):
    """Build only the math instructions."""

    recipe = RecipeParameter("math", MATH)
    goals: ClassVar = (WriteMathData,)
    title = "MATH-QWEN data"


class BuildMathQwen(Root):
    """Build MATH-QWEN-CHAT with its scores."""

    recipe = RecipeParameter("math", MATH)
    goals: ClassVar = (ReleaseMath,)
    title = "MATH-QWEN-CHAT"
