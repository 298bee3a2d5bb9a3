"""More parentheses than the parser has room for."""
eval("(" * 5000 + ")" * 5000)
