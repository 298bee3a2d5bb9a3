"""needs sympy"""
import sympy

x = sympy.symbols("x")
print(sympy.factor(x**2 - 1), sympy.integrate(2 * x, x), sympy.nsimplify("0.5"))
