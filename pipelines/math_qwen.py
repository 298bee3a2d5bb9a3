"""The MATH-QWEN recipe, stage by stage: read it from top to bottom (QWEN report, section 5).

Seeds with a worked solution are augmented by rules, every row is recomputed, what touches a benchmark leaves, and the
base of the code recipe of the same name is fine-tuned at 1024 with system and user masked.
"""

from typing import ClassVar

from pipelines.code_qwen import base_of
from pipelines.machine import GPU, TRAINING
from pipelines.recipes.math import MATH, MathRecipe
from pipelines.root import Root
from pipelines.stage import RecipeParameter, Stage, requires


class MathStage(Stage):
    """A stage whose config is a field of a math recipe."""

    recipes = MATH
    recipe = RecipeParameter("math", MATH)


# Data ------------------------------------------------------------------------------------------------


class CollectSeeds(MathStage):
    """Read the seed problems with their solutions; equal and nearly equal questions are one."""

    version = 2
    config = "seeds"
    build = "corpora.math.seeds:collect_seeds"
    inventory = "corpora.math.seeds:inventory"


@requires(problems=CollectSeeds)
class DecontaminateSeeds(MathStage):
    """Drop seeds that overlap a benchmark, before anything is made from them."""

    version = 3
    config = "decontaminate"
    build = "corpora.math.decontaminate:decontaminate_seeds"


@requires(problems=DecontaminateSeeds)
class AugmentRenumber(MathStage):
    """Change the numbers of a problem and carry them through its solution."""

    version = 2
    config = "renumber"
    build = "corpora.math.renumber:augment_renumber"


@requires(problems=DecontaminateSeeds)
class AugmentBackward(MathStage):
    """Give the answer of a problem and ask for one of its numbers, with the solution that leads there."""

    config = "backward"
    build = "corpora.math.backward:augment_backward"


@requires(problems=DecontaminateSeeds)
class AugmentCompose(MathStage):
    """Make the answer of one problem a number of the next."""

    config = "compose"
    build = "corpora.math.compose:augment_compose"


@requires(problems=DecontaminateSeeds)
class AugmentProgram(MathStage):
    """Write the solution of a problem as a program."""

    version = 2
    config = "program"
    build = "corpora.math.program:augment_program"


@requires(problems=DecontaminateSeeds)
class AugmentTools(MathStage):
    """Solve a problem in turns: a plan, a program, what it printed in the sandbox, the answer."""

    config = "tools"
    build = "corpora.math.tools:augment_tools"


class AugmentDrills(MathStage):
    """Generate drills from a seed; set some apart as held-out."""

    version = 2
    config = "drills"
    build = "corpora.math.drills:augment_drills"


class AugmentGym(MathStage):
    """Take items of reasoning-gym (optional)."""

    config = "gym"
    build = "corpora.math.gym:augment_gym"


def gym(recipe: MathRecipe) -> type[Stage] | None:
    """Choose whether reasoning-gym is a source."""
    return AugmentGym if recipe.gym else None


@requires(
    problems=DecontaminateSeeds,
    renumber=AugmentRenumber,
    program=AugmentProgram,
    drills=AugmentDrills,
    backward=AugmentBackward,
    compose=AugmentCompose,
    tools=AugmentTools,
    gym=gym,
)
class VerifyAnswers(MathStage):
    """Recompute every row a second way and run every program in the sandbox; label what does not agree."""

    version = 2
    config = "verify"
    build = "corpora.math.verify:verify_answers"


# With a teacher (optional) ----------------------------------------------------------------------------


@requires(problems=DecontaminateSeeds)
class AugmentRephrase(MathStage):
    """Have a teacher put the seeds in other words."""

    config = "teacher.rephrase"
    build = "corpora.math.teacher.rephrase:augment_rephrase"


@requires(problems=DecontaminateSeeds)
class AugmentEvolve(MathStage):
    """Have a teacher make harder problems of the seeds."""

    config = "teacher.evolve"
    build = "corpora.math.teacher.evolve:augment_evolve"


@requires(problems=DecontaminateSeeds)
class AugmentAnswer(MathStage):
    """Have a teacher solve the seeds, several times each."""

    config = "teacher.answer"
    build = "corpora.math.teacher.answer:augment_answer"


@requires(problems=DecontaminateSeeds)
class AugmentSelfVerify(MathStage):
    """Have a teacher check its solutions backwards."""

    config = "teacher.self_verify"
    build = "corpora.math.teacher.self_verify:augment_self_verify"


@requires(problems=DecontaminateSeeds)
class AugmentSampled(MathStage):
    """Have a teacher write programs for the seeds, and run them in the sandbox."""

    config = "teacher.sampled"
    build = "corpora.math.teacher.sampled:augment_sampled"


@requires(
    verified=VerifyAnswers,
    seeds=DecontaminateSeeds,
    rephrase=AugmentRephrase,
    evolve=AugmentEvolve,
    answer=AugmentAnswer,
    self_verify=AugmentSelfVerify,
    sampled=AugmentSampled,
)
class ChooseTaught(MathStage):
    """Take the good rows of a teacher, a few for each question and way of reasoning."""

    config = "teacher.choose"
    build = "corpora.math.teacher.choose:choose_taught"


def taught(recipe: MathRecipe) -> type[Stage]:
    """Choose what is decontaminated: what was made by rules, or that and what a teacher made."""
    return ChooseTaught if recipe.teacher else VerifyAnswers


@requires(problems=taught)
class DecontaminateMath(MathStage):
    """Drop rows that overlap a benchmark, numbers masked too, with a ledger of every hit."""

    version = 3
    config = "decontaminate"
    build = "corpora.math.decontaminate:decontaminate_math"


@requires(problems=DecontaminateMath)
class WriteMathData(MathStage):
    """Write the instructions as a dataset that `datasets.load_dataset` reads, with its card."""

    version = 2
    config = "dataset"
    build = "corpora.math.dataset:write_dataset"


@requires(conversations=WriteMathData, base=base_of)
class PackMath(MathStage):
    """Write conversations as packs of 1024 tokens, system and user masked."""

    version = 2
    config = "pack"
    build = "corpora.pack:pack"


# Supervised fine-tuning ------------------------------------------------------------------------------


@requires(model=base_of, packs=PackMath)
class FineTuneMath(MathStage):
    """Teach the base mathematics: MATH-QWEN-CHAT."""

    version = 2
    config = "fine_tune"
    place = TRAINING
    build = "specialize.train:fine_tune"


# Release ---------------------------------------------------------------------------------------------


@requires(model=FineTuneMath)
class ExportMath(MathStage):
    """Write MATH-QWEN-CHAT as a folder that transformers loads."""

    version = 2
    config = "export"
    build = "specialize.export:export"


@requires(base=base_of, chat=ExportMath, drills=AugmentDrills)
class EvaluateMath(MathStage):
    """Score the base at its best prompt and MATH-QWEN-CHAT on held-out drills and GSM8K."""

    version = 2
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
