"""How tightly signs bind, loosest first: a row of the grammar's table each."""

RELATION, RATIO, SETS, MODULO, MEASURE, SUM, PRODUCT, SIGN, PERCENT, POWER, POSTFIX = range(20, 130, 10)
