"""A number that nobody can write down."""
x = 9**9**8
