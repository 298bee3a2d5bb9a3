"""The languages known here: how a file is told to be in one, its weight in the blend, its grammar, comments and imports.

Names are Linguist's. A suffix or name that only one language has decides alone (no library, 2 million files a second);
one that several share is decided by Linguist's rules over path and content (`enry`). What no row knows is not code.

Weights are GB of cleaned code in DeepSeek-Coder's training set (arXiv 2401.14196, table 1): after its filters and
deduplication by repository, so they say what there is of use in public repositories. The report gives no blend. Ours are
Go and Rust, of which that table has a tenth of what other corpora find, and whatever it does not list: TSX, Markdown,
reStructuredText, TOML, Swift, Objective-C, Vue, Cython, HCL and the like, by how much of them there is beside the others.
A weight of 0 is known, and not in the blend: data, or too rare to be learned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
_CONTENT_CHARACTERS = 51_200
"""Linguist's rules look at the first 50 KB."""


@dataclass(frozen=True)
class Language:
    """One row of the table."""

    name: str
    weight: float
    """Relative share in the blend; 0 keeps it out."""
    suffixes: str
    """Of file names, after which the language is certain; a word without a dot is a whole name."""
    shared: str = ""
    """Suffixes that other languages have too."""
    comments: str = ""
    """Of COMMENTS."""
    grammar: str = ""
    """module:function of the grammar wheel."""
    imports: str = ""
    """How files name others, for the order within a repository: a style, "" for none."""


LANGUAGES = (
    # the large ones, each with a grammar
    Language("Java", 148.66, ".java .jav", "", "c", "tree_sitter_java:language", "java"),
    Language("Python", 120.68, ".py .pyi", "", "python", "tree_sitter_python:language", "python"),
    Language("C++", 90.87, ".cpp .cc .cxx .c++ .hpp .hxx .h++ .cppm .ipp .ixx .tcc .tpp .txx .inl .ino",
             ".h .hh .inc .re .cp", "c", "tree_sitter_cpp:language", "c"),
    Language("TypeScript", 60.62, ".cts .mts", ".ts", "go", "tree_sitter_typescript:language_typescript", "javascript"),
    Language("PHP", 58.92, ".php3 .php4 .php5 .phps .phpt .ctp",
             ".php .inc .fcgi", "php", "tree_sitter_php:language_php", "php"),
    Language("C#", 58.56, ".csx .cs.pp .linq", ".cs", "c", "tree_sitter_c_sharp:language", "csharp"),
    Language("JavaScript", 53.84, ".js .cjs .mjs .jsx .es6 .jsm .njs .ssjs Jakefile",
             ".es .gs .frag", "go", "tree_sitter_javascript:language", "javascript"),
    Language("C", 28.64, ".c .cats .idc", ".h", "c", "tree_sitter_c:language", "c"),
    Language("Go", 24.0, ".go", "", "go", "tree_sitter_go:language", "go"),
    Language("Ruby", 15.01, ".rb .rake .gemspec .podspec .rbi .ru .thor .jbuilder .builder Gemfile Rakefile Podfile Vagrantfile",
             ".spec .fcgi", "ruby", "tree_sitter_ruby:language", "ruby"),
    Language("Shell", 13.92, ".sh .bash .bats .ksh .zsh .command .sbatch .slurm .tmux .zsh-theme PKGBUILD",
             ".cgi .fcgi .trigger", "hash", "tree_sitter_bash:language", ""),
    Language("Rust", 9.0, ".rs.in", ".rs", "rust", "tree_sitter_rust:language", "rust"),
    Language("TSX", 6.0, ".tsx", "", "go", "tree_sitter_typescript:language_tsx", "javascript"),
    # text and data that come with code
    Language("HTML", 30.05, ".html .htm .xhtml .hta", ".inc", "sgml"),
    Language("TeX", 20.46, ".tex .ltx .sty .dtx .bbx .cbx", ".cls .toc", "percent"),
    Language("SQL", 15.14, ".mysql .udf .viw", ".sql .ddl .inc .prc", "sql"),
    Language("RMarkdown", 6.83, ".rmd .qmd", "", "sgml"),
    Language("CSS", 5.63, ".css", "", "css"),
    Language("JSON", 4.61, ".json .jsonl .geojson .webmanifest .avsc .topojson", "", ""),
    Language("Markdown", 10.0, ".markdown .mdown .mkd .mkdn", ".md", "sgml"),
    Language("reStructuredText", 1.0, ".rst .rest", "", "rst"),
    Language("YAML", 0.74, ".yaml", ".yml", "hash"),
    Language("TOML", 0.2, ".toml Cargo.lock Pipfile poetry.lock", "", "hash"),
    Language("XML", 0.0, ".xsd .wsdl .csproj .vcxproj .xaml", ".xml", "sgml"),
    Language("XSLT", 0.36, ".xslt .xsl", "", "sgml"),
    Language("INI", 0.0, ".ini", ".cfg .properties", "hash"),
    Language("Text", 0.0, ".txt", "", ""),
    Language("Jupyter Notebook", 0.0, ".ipynb", "", ""),  # a domain of its own
    Language("SCSS", 1.0, ".scss", "", "c"),
    Language("Sass", 0.2, ".sass", "", "c"),
    Language("Less", 0.5, ".less", "", "c"),
    Language("Vue", 3.0, ".vue", "", "sgml"),
    Language("Svelte", 0.5, ".svelte", "", "sgml"),
    Language("Astro", 0.2, ".astro", "", "sgml"),
    Language("Java Server Pages", 0.86, ".jsp .tag", "", "sgml"),
    Language("Twig", 0.2, ".twig", "", "sgml"),
    Language("Protocol Buffer", 0.92, ".proto", "", "c"),
    Language("Thrift", 0.05, ".thrift", "", "php"),
    Language("GraphQL", 0.2, ".graphql .gql .graphqls", "", "hash"),
    Language("SPARQL", 0.1, ".sparql .rq", "", "hash"),
    Language("Graphviz (DOT)", 0.0, ".gv", ".dot", "php"),
    Language("Web Ontology Language", 0.0, ".owl", "", "sgml"),
    Language("Roff", 0.0, ".roff .man .mdoc .tmac", ".1 .2 .3 .4 .5 .6 .7 .8 .9 .ms .nr", ""),
    # build and machine description
    Language("Makefile", 0.92, ".mk .mak .make .makefile .mkfile Makefile makefile GNUmakefile Kbuild", ".d", "hash"),
    Language("CMake", 0.9, ".cmake .cmake.in CMakeLists.txt", "", "hash"),
    Language("Dockerfile", 0.3, ".dockerfile .containerfile Dockerfile Containerfile", "", "hash"),
    Language("HCL", 0.8, ".hcl .tf .tfvars .nomad .tofu", ".workflow", "hcl"),
    Language("Nix", 0.3, ".nix", "", "nix"),
    Language("Starlark", 0.3, ".bzl .star BUILD.bazel WORKSPACE BUCK", "", "python"),
    Language("Meson", 0.1, "meson.build meson_options.txt", "", "hash"),
    Language("Gradle", 0.3, ".gradle", "", "c"),
    Language("M4", 0.1, ".m4", ".mc", "hash"),
    Language("Puppet", 0.1, "", ".pp", "hash"),
    Language("BitBake", 0.1, ".bbappend .bbclass", ".bb .inc", "hash"),
    Language("Bicep", 0.1, ".bicep .bicepparam", "", "c"),
    Language("Just", 0.0, ".just justfile Justfile", "", "hash"),
    Language("Gherkin", 0.2, ".feature .story", "", "hash"),
    Language("Vim Script", 0.2, ".vim .vimrc .vmb", ".vba", "vim"),
    # the others, by name
    Language("Ada", 0.91, ".adb .ads .ada", "", "dash"),
    Language("Agda", 0.26, ".agda", "", "haskell"),
    Language("Alloy", 0.07, ".als", "", "c"),
    Language("ANTLR", 0.19, ".g4", "", "c"),
    Language("Apex", 0.1, ".apex", ".cls .trigger", "c"),
    Language("AppleScript", 0.03, ".applescript .scpt", "", "sql"),
    Language("Assembly", 0.91, ".nasm .a51", ".asm .s .i .inc .nas", "assembly"),
    Language("Awk", 0.09, ".awk .gawk .mawk .nawk .auk", "", "hash"),
    Language("Batchfile", 0.92, ".bat .cmd", "", "batch"),
    Language("Bluespec", 0.1, ".bsv", "", "c"),
    Language("Clojure", 0.9, ".clj .cljs .cljc .cljx .cl2 .hic .boot", ".bb", "lisp"),
    Language("COBOL", 0.1, ".cob .cbl .cobol .cpy", "", "star"),
    Language("CoffeeScript", 0.92, ".coffee .cjsx .iced Cakefile", ".cake", "coffee"),
    Language("Common Lisp", 0.92, ".asd .sexp", ".lisp .cl .l .lsp", "lisp"),
    Language("Crystal", 0.1, ".cr", "", "hash"),
    Language("Cuda", 0.91, ".cu .cuh", "", "c"),
    Language("Cython", 0.2, ".pyx .pxd .pxi", "", "python"),
    Language("D", 0.2, ".di", ".d", "c"),
    Language("Dart", 0.89, ".dart", "", "c"),
    Language("Dhall", 0.0, ".dhall", "", "haskell"),
    Language("Elixir", 0.91, ".exs mix.lock", ".ex", "hash"),
    Language("Elm", 0.92, ".elm", "", "haskell"),
    Language("Emacs Lisp", 0.91, ".el .emacs", "", "lisp"),
    Language("Erlang", 0.92, ".erl .hrl .xrl .yrl .escript .app.src rebar.config", ".es", "erlang"),
    Language("F#", 0.91, ".fsi .fsx", ".fs", "fsharp"),
    Language("fish", 0.1, ".fish", "", "hash"),
    Language("Fortran", 1.67, ".f77 .fpp", ".f .for", "fortran"),
    Language("Fortran Free Form", 0.5, ".f90 .f95 .f03 .f08", "", "fortran"),
    Language("GDScript", 0.2, "", ".gd", "hash"),
    Language("GLSL", 0.92, ".glsl .vert .tesc .tese .geom .fsh .vsh .rchit .rmiss", ".frag .fs .gs .shader", "c"),
    Language("Groovy", 0.89, ".groovy .gvy .grt Jenkinsfile", "", "c"),
    Language("Haskell", 0.87, ".hs .hs-boot .hsc", "", "haskell"),
    Language("Haxe", 0.2, ".hx .hxsl", "", "c"),
    Language("HLSL", 0.2, ".hlsl .hlsli .cginc .fxh", ".fx", "c"),
    Language("Idris", 0.11, ".idr .lidr", "", "haskell"),
    Language("Isabelle", 0.74, ".thy", "", "ml"),
    Language("jq", 0.0, "", ".jq", "hash"),
    Language("Julia", 0.92, ".jl", "", "julia"),
    Language("Kotlin", 6.0, ".kt .kts .ktm", "", "c"),
    Language("Lean", 0.52, ".hlean", ".lean", "haskell"),
    Language("Lex", 0.1, ".lex", ".l", "c"),
    Language("Linker Script", 0.0, ".ld .lds", ".x", "css"),
    Language("Literate Haskell", 0.16, ".lhs", "", "haskell"),
    Language("Lua", 0.82, ".lua .nse .rockspec .wlua .pd_lua", ".fcgi", "lua"),
    Language("MATLAB", 0.3, ".matlab", ".m", "matlab"),
    Language("Metal", 0.1, ".metal", "", "c"),
    Language("Motorola 68K Assembly", 0.0, ".x68", ".asm .i .inc", "assembly"),  # .s: of GNU's and Go's assemblers
    Language("Nim", 0.3, ".nim .nims .nimble", "", "hash"),
    Language("Objective-C", 2.0, "", ".m .h", "c", "", "c"),
    Language("Objective-C++", 0.3, "", ".mm", "c", "", "c"),
    Language("OCaml", 0.91, ".mli .mll .mly .ml4 .eliom", ".ml", "ml"),
    Language("OpenCL", 0.2, ".opencl", ".cl", "c"),
    Language("Pascal", 0.79, ".pas .dpr .lpr .pascal", ".pp .inc", "pascal"),
    Language("Perl", 0.81, ".plx .psgi .perl .al .ph", ".pl .pm .t .cgi .fcgi", "hash"),
    Language("PLpgSQL", 0.2, ".pgsql", ".sql", "sql"),
    Language("PLSQL", 0.5, ".pkb .pks .pls .plsql .plb .pck .fnc .tpb .tps", ".sql .ddl .prc", "sql"),
    Language("PowerShell", 0.91, ".ps1 .psm1 .psd1", "", "powershell"),
    Language("Prolog", 0.03, ".prolog .yap", ".pl .pro .plt", "prolog"),
    Language("PureScript", 0.1, ".purs", "", "haskell"),
    Language("QML", 0.2, ".qml .qbs", "", "c"),
    Language("R", 0.92, ".rsx .rd", ".r", "hash"),
    Language("Racket", 0.09, ".rkt .rktd .rktl .scrbl", "", "lisp"),
    Language("Raku", 0.1, ".raku .rakumod .p6 .pl6 .pm6 .nqp", ".pl .pm .t", "hash"),
    Language("ReScript", 0.1, ".resi", ".res", "c"),
    Language("SAS", 0.92, ".sas", "", "star"),
    Language("Scala", 0.81, ".scala .sbt .kojo", ".sc", "c"),
    Language("Scheme", 0.92, ".ss .sld .sps", ".scm .sch .sls", "lisp"),
    Language("Smalltalk", 0.92, "", ".st .cs", "smalltalk"),
    Language("SMT", 0.0, ".smt2 .smt .z3", "", "lisp"),
    Language("Solidity", 0.85, "", ".sol", "c"),
    Language("Stan", 0.2, ".stan", "", "c"),
    Language("Standard ML", 0.74, ".sml .fun .sig", ".ml", "ml"),
    Language("Stata", 0.91, ".do .ado .doh .mata .matah .ihlp .sthlp", "", "star"),
    Language("Swift", 3.0, ".swift", "", "c"),
    Language("SystemVerilog", 0.91, ".sv .svh .vh", "", "c"),
    Language("Tcl", 0.9, ".tcl .tm .sdc .xdc .adp", "", "hash"),
    Language("Tcsh", 0.17, ".tcsh .csh", "", "hash"),
    Language("TSQL", 0.2, "", ".sql", "sql"),
    Language("Unix Assembly", 0.3, "", ".s .ms", "assembly"),
    Language("VBScript", 0.1, ".vbs", "", "basic"),
    Language("Verilog", 0.5, ".veo", ".v", "c"),
    Language("VHDL", 0.85, ".vhd .vhdl .vho .vht .vhw", "", "dash"),
    Language("Visual Basic .NET", 0.75, ".vb .vbhtml", "", "basic"),
    Language("WebAssembly", 0.0, ".wat .wast", "", "wat"),
    Language("WGSL", 0.1, ".wgsl", "", "c"),
    Language("Wolfram Language", 0.82, ".wl .wls .wlt .mt .nbp .mathematica", ".m .nb", "ml"),
    Language("Yacc", 0.72, ".y .yacc .yy", "", "c"),
    Language("Zig", 0.81, ".zig .zig.zon", "", "c"),
)  # fmt: skip
BY_NAME = {language.name: language for language in LANGUAGES}
BLEND = tuple(language.name for language in LANGUAGES if language.weight)
"""The languages that a full-size recipe reads."""
WEIGHTS = tuple((language.name, language.weight) for language in LANGUAGES if language.weight)
"""And how much of each it trains on (`PretrainConfig.weights`)."""
_SCRIPTS = frozenset({"Shell", "Perl", "Ruby", "Tcl", "Awk", "fish", "Lua"})
"""Those often in files without a suffix, told by their first line."""
_OBJECTIVE_C = re.compile(r"(?m)^[ \t]*(?:@(?:interface|import|class|protocol)\b|#[ \t]*import\b)")
"""What a header of Objective-C has; a tag of documentation such as @end has made C headers of some."""


def by_path(path: str) -> str:
    """Name the language that a path decides alone, "" where it takes more.

    >>> [by_path(path) for path in ("a/b.py", "src/Makefile", "b.h", "README")]
    ['Python', 'Makefile', '', '']
    """
    name = path.rpartition("/")[2]
    return _alone().get(name) or _longest(name, _alone()) or ""


def possible(path: str) -> frozenset[str]:
    """Name the languages that a file of this path may be in.

    >>> sorted(possible("a.h"))
    ['C', 'C++', 'Objective-C']
    """
    if alone := by_path(path):
        return frozenset((alone,))
    name = path.rpartition("/")[2]
    return _SCRIPTS if "." not in name else _longest(name, _shared()) or frozenset()


def is_script(path: str) -> bool:
    """Whether only its first line can tell a file's language."""
    return "." not in path.rpartition("/")[2] and not by_path(path)


def detect(path: str, text: str) -> str:
    r"""Name the language of a file; one that has no row here goes by Linguist's name, what nothing tells is "".

    An interpreter line decides between the languages of the suffix; a suffix that no script has decides against it.

    >>> detect("a.h", "template <class T> class A {};"), detect("run", "#!/bin/sh\n"), detect("a.d.ts", "#!/bin/node\n")
    ('C++', 'Shell', 'TypeScript')
    """
    if alone := by_path(path):
        return alone
    among, text = possible(path), text[:_CONTENT_CHARACTERS]
    if text.startswith("#!"):
        named = _by_interpreter(text)
        if named in among:
            return named
        if among and not among & _SCRIPTS:
            text = text.partition("\n")[2]
    return _mended(path, text, _by_rules(path, text))


def _by_rules(path: str, text: str) -> str:
    import enry

    return str(enry.get_language(path, text.encode()))


def _by_interpreter(text: str) -> str:
    import enry

    return str(enry.get_language_by_shebang(text.partition("\n")[0].encode() + b"\n").language)


def _mended(path: str, text: str, found: str) -> str:
    """Put right what Linguist's rules are known to get wrong (docs/corpus.md): assembly, C headers with tags of documentation."""
    suffix = path[-2:].lower()
    if suffix == ".s" and found not in possible(path):
        return "Unix Assembly"
    if suffix == ".h" and found == "Objective-C" and not _OBJECTIVE_C.search(text):
        return _by_rules(path, text.replace("@", " "))
    return found


def _longest(name: str, table: dict[str, T]) -> T | None:
    """Look up the longest suffix of a file name: `.cmake.in` before `.in`."""
    start = name.find(".")
    lower = name.lower()
    while start >= 0:
        if found := table.get(lower[start:]):
            return found
        start = name.find(".", start + 1)
    return None


@lru_cache(maxsize=1)
def _alone() -> dict[str, str]:
    return {suffix: language.name for language in LANGUAGES for suffix in language.suffixes.split()}


@lru_cache(maxsize=1)
def _shared() -> dict[str, frozenset[str]]:
    suffixes = {suffix for language in LANGUAGES for suffix in language.shared.split()}
    return {
        suffix: frozenset(language.name for language in LANGUAGES if suffix in language.shared.split())
        for suffix in suffixes
    }
