r"""Values with something beside them: units, percent signs, degrees, times, bases, moduli, ratios.

What only one side says is filled in from the other where that is safe (a unit), asked from the question (percent, base) or left
undecided (a modulus); what both say must agree.
"""

from __future__ import annotations

from fractions import Fraction

from sandbox.answers import relations, structures
from sandbox.answers.outcome import DIFFERENT, EQUAL, UNDECIDED, Outcome, Settings
from sandbox.answers.tree import Node, kinds, number
from sandbox.answers.units import KNOWN, SINGLE, raised
from sandbox.answers.values import exact_or_none, known, values


def time(clock: Node, other: Node, settings: Settings) -> Outcome:
    """Compare a time of the day: morning or afternoon must be known, or the same on both sides."""
    if other.kind == "time":
        if clock.value == other.value:
            return EQUAL("time")
        if clock.value[1] == other.value[1]:
            return DIFFERENT("time")
        apart = abs(clock.value[0] - other.value[0])
        return UNDECIDED("morning or afternoon") if apart in (0, 43_200) else DIFFERENT("time")
    if len(clock.parts) == 2 and not clock.value[1] and other.kind != "quantity":
        return ratio(Node("ratio", clock.parts), other, settings)
    return UNDECIDED("a time against a value")


def based(digits_: Node, other: Node, settings: Settings) -> Outcome:
    """Compare digits in a base: the value and the base."""
    digits, base = digits_.value
    value = structures.value_in_base(digits, base)
    if value is None:
        return UNDECIDED("digits beyond the base")
    if other.kind == "based":
        if base == other.value[1]:
            return known("base", is_equal=value == structures.value_in_base(*other.value))
        return UNDECIDED("bases") if value == structures.value_in_base(*other.value) else DIFFERENT("base")
    if other.kind == "number":
        if digits.isdecimal() and other.value == int(digits):
            return EQUAL("base as asked") if settings.base == base else UNDECIDED("base on one side")
        return UNDECIDED("base on one side") if other.value == value else DIFFERENT("base")
    return UNDECIDED("base on one side")


def modulo(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare residues: the same modulus, and a difference that it divides."""
    residue, modulus = left.parts
    if right.kind == "modulo":
        same = settings.same(modulus, right.parts[1])
        if not same.is_equal:
            return same
        one, other, whole = exact_or_none(residue), exact_or_none(right.parts[0]), exact_or_none(modulus)
        if one is None or other is None or not whole:
            return settings.same(residue, right.parts[0])
        return known("modulo", is_equal=(one - other) % whole == 0)
    plain, one, whole = exact_or_none(right), exact_or_none(residue), exact_or_none(modulus)
    if plain is not None and one is not None and whole and one >= whole and plain == one % whole:
        return EQUAL("remainder")
    value = settings.same(residue, right)
    return UNDECIDED("modulus on one side") if value.is_equal or plain is None else value


def ratio(parts: Node, other: Node, settings: Settings) -> Outcome:
    """Compare ratios by cross products; one of two parts is also a quotient."""
    if other.kind == "time" and len(other.parts) == 2:
        other = Node("ratio", other.parts)
    if other.kind == "ratio":
        if len(parts.parts) != len(other.parts):
            return DIFFERENT("ratio")
        first, second = parts.parts[0], other.parts[0]
        crossed = [
            settings.same(Node("product", (first, b)), Node("product", (second, a)))
            for a, b in zip(parts.parts[1:], other.parts[1:], strict=True)
        ]
        return structures.all_of(crossed, "ratio")
    if len(parts.parts) == 2 and other.kind not in ("list", "set", "tuple", "relation"):
        return settings.same(Node("quotient", parts.parts), other)
    return UNDECIDED("a ratio against a form")


def quantity(amount: Node, other: Node, settings: Settings) -> Outcome:
    """Compare a value with its unit; a side without one is in the same unit."""
    value, unit = amount.parts[0], amount.value
    if other.kind == "quantity":
        return quantities(amount, other, settings)
    if other.kind == "degrees":
        if unit.dimension == (("radian", 1),):
            return values(value, other, settings)
        return UNDECIDED("units") if settings.same(value, other.parts[0]).is_equal else DIFFERENT("units")
    if other.kind == "percent":
        return DIFFERENT("unit against percent") if unit.is_known else settings.same(value, other)
    if other.kind in ("list", "tuple", "set", "matrix", "relation"):
        rule = relations.relation if other.kind == "relation" else structures.alone
        return rule(other, amount, settings)
    plain = settings.same(value, other)
    if plain.is_equal or not is_letter_unit(amount, other):
        return plain._replace(rule=f"{plain.rule}, unit on one side") if plain.is_equal else plain
    return EQUAL("unit written as a letter")


def is_letter_unit(quantity: Node, other: Node) -> bool:
    """Whether `5m` without its space is `5 m`, and `40m^2` is 40 square metres."""
    if other.kind != "product":
        return False
    last = other.parts[-1]
    name, power = (last.parts[0], exact_or_none(last.parts[1])) if last.kind == "power" else (last, Fraction(1))
    if name.kind != "name" or name.value not in SINGLE or power not in (1, 2, 3):
        return False
    unit = KNOWN.get(name.value.lower())
    if unit is None or raised(unit, int(power)) != quantity.value:
        return False
    return exact_or_none(Node("product", other.parts[:-1])) == exact_or_none(quantity.parts[0])


def quantities(left: Node, right: Node, settings: Settings) -> Outcome:
    """Compare two values with their units, by what the units are made of."""
    one, other = left.value, right.value
    if one.dimension == other.dimension:
        if one.size == other.size:
            return settings.same(left.parts[0], right.parts[0])
        return values(
            Node("product", (left.parts[0], number(one.size))),
            Node("product", (right.parts[0], number(other.size))),
            settings,
        )
    plain = settings.same(left.parts[0], right.parts[0])
    if (one.is_known and other.is_known) or {name for name, _ in one.dimension} == {
        name for name, _ in other.dimension
    } == {"unit"}:
        return DIFFERENT("units")
    return UNDECIDED("units") if plain.is_equal else plain


def percent(share: Node, other: Node, settings: Settings) -> Outcome:
    """Compare a percent: 25% is 0.25, and 25 only where the question asks for percents."""
    inner = share.parts[0]
    if other.kind == "percent":
        return settings.same(inner, other.parts[0])
    if other.kind in ("list", "tuple", "set", "matrix"):
        return structures.alone(other, share, settings)
    of_one = values(share, other, settings)
    if of_one.is_equal and settings.asks_percent and (exact_or_none(other) or 0) > 1:
        return UNDECIDED("percent sign on one side")
    if of_one.is_equal:
        return EQUAL("percent")
    if settings.same(inner, other).is_equal:
        return EQUAL("percent as asked") if settings.asks_percent else UNDECIDED("percent sign on one side")
    return of_one


def degrees(angle: Node, other: Node, settings: Settings) -> Outcome:
    """Compare an angle; a bare number is in degrees."""
    if other.kind == "degrees":
        return settings.same(angle.parts[0], other.parts[0])
    plain = settings.same(angle.parts[0], other)
    if plain.is_equal:
        return EQUAL("degrees on one side")
    turned = values(angle, other, settings)
    return UNDECIDED("degrees or radians") if turned.is_equal and "constant" in kinds(other) else plain
