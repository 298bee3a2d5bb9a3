"""How languages write comments and strings, as far as counting the share of comments needs it.

A style serves every language that is written alike; rarer forms (heredocs, nested blocks, raw strings) are read as code,
which moves a share by little. The counting is in `scans`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Comments:
    """How comments and strings are written, as far as counting the share of comments needs it."""

    line: tuple[str, ...] = ()
    """Start a comment that ends with the line."""
    block: tuple[str, str] = ("", "")
    quotes: str = "\"'"
    """Each starts a string that it ends; a backslash escapes."""
    long_quotes: str = ""
    """Those of `quotes` whose strings go over line ends: a backtick, or Python's quotes when tripled."""


COMMENTS = {
    "c": Comments(("//",), ("/*", "*/")),
    "go": Comments(("//",), ("/*", "*/"), "\"'`", "`"),
    "rust": Comments(("//",), ("/*", "*/"), '"', '"'),  # a single quote is a lifetime
    "css": Comments((), ("/*", "*/")),
    "php": Comments(("//", "#"), ("/*", "*/")),
    "python": Comments(("#",), long_quotes="\"'"),
    "hash": Comments(("#",)),
    "ruby": Comments(("#",), ("=begin", "=end")),
    "julia": Comments(("#",), ("#=", "=#"), '"'),
    "powershell": Comments(("#",), ("<#", "#>")),
    "coffee": Comments(("#",), ("###", "###")),
    "nix": Comments(("#",), ("/*", "*/"), '"'),
    "hcl": Comments(("#", "//"), ("/*", "*/"), '"'),
    "sql": Comments(("--",), ("/*", "*/")),
    "lua": Comments(("--",), ("--[[", "]]")),
    "haskell": Comments(("--",), ("{-", "-}"), '"'),
    "dash": Comments(("--",), quotes='"'),
    "lisp": Comments((";",), ("#|", "|#"), '"'),
    "assembly": Comments((";", "//", "#"), ("/*", "*/")),
    "wat": Comments((";;",), ("(;", ";)"), '"'),
    "percent": Comments(("%",), quotes=""),
    "matlab": Comments(("%",), ("%{", "%}"), '"'),
    "erlang": Comments(("%",), quotes='"'),
    "prolog": Comments(("%",), ("/*", "*/")),
    "fortran": Comments(("!",)),
    "ml": Comments((), ("(*", "*)"), '"'),
    "fsharp": Comments(("//",), ("(*", "*)"), '"'),
    "pascal": Comments(("//",), ("{", "}"), "'"),
    "basic": Comments(("'",), quotes='"'),
    "batch": Comments(("::", "rem ", "REM "), quotes=""),
    "vim": Comments(('"',), quotes=""),
    "smalltalk": Comments((), ('"', '"'), "'"),
    "star": Comments(("*",), ("/*", "*/")),
    "sgml": Comments((), ("<!--", "-->"), ""),
    "rst": Comments((".. ",), quotes=""),
    "": Comments(quotes=""),
}
