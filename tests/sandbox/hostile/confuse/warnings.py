"""A hundred warnings of the compiler."""
x = "\d" is "\d"
exec("x is 1\n" * 100)
