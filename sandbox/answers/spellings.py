r"""The tables of spellings: characters, LaTeX commands, wrappers, introductions. `spelling` says in which order they apply."""

from __future__ import annotations

import re

SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿˣ", "0123456789+-nx")
SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿˣ]+")
SUBSCRIPT = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
SUBSCRIPTS = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
VULGAR = re.compile("[¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]")
CHARACTERS = str.maketrans(
    dict.fromkeys("−–—﹣", "-")
    | dict.fromkeys("×·⋅∗•", "*")
    | dict.fromkeys("÷⁄∕", "/")
    | dict.fromkeys("⩽≦", "≤")
    | dict.fromkeys("⩾≧", "≥")
    | dict.fromkeys("∅∅⌀", "∅")
    | dict.fromkeys("∞", "∞")
    | dict.fromkeys("′’‘", "'")
    | dict.fromkeys("″“”", '"')
    | dict.fromkeys("˚º", "°")
    | {
        "、": ",",
        "。": ".",
        "≃": "≈",
        "∶": ":",
        "√": r"\sqrt ",
        "∛": r"\cbrt ",
        "…": "…",
        "ℝ": r"\mathbb{R}",
        "∠": r"\angle ",
        "△": r"\triangle ",
    }
    | {
        "⟩": "⟩",
        "〉": "⟩",
        "〈": "⟨",
        "∣": "|",
        "∧": " and ",
        "∨": " or ",
        "ℓ": "l",
        "￥": "¥",
        "ℤ": r"\mathbb{Z}",
        "ℕ": r"\mathbb{N}",
        "ℚ": r"\mathbb{Q}",
        "ℂ": r"\mathbb{C}",
        "㎡": " m^{2}",
        "㎥": " m^{3}",
        "→": "→",
        "Δ": r"\Delta ",
    }
)
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "θ": "theta", "λ": "lambda", "μ": "mu", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "φ": "phi", "ω": "omega", "π": "pi", "ε": "epsilon",
    "Ω": "Omega", "Σ": "sum", "∑": "sum", "∏": "prod", "∫": "int",
}  # fmt: skip
GREEK_LETTER = re.compile("[" + "".join(GREEK) + "]")

COMMAND = re.compile(r"\\([A-Za-z]+)(?:\s*\*)?")
DROPPED = (
    "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle scriptstyle limits "
    "nolimits rm bf it cal hspace vspace middle phantom"
)
SPELLED = {
    **dict.fromkeys(DROPPED.split(), ""),
    **dict.fromkeys(("quad", "qquad", "enspace", "thinspace", "space", "hfill", "newline"), " "),
    **dict.fromkeys(("dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"), r"\frac"),
    **dict.fromkeys(("dbinom", "tbinom"), r"\binom"),
    **dict.fromkeys(("le", "leq", "leqslant", "leqq"), "≤"),
    **dict.fromkeys(("ge", "geq", "geqslant", "geqq"), "≥"),
    **dict.fromkeys(("ne", "neq", "not="), "≠"),
    **dict.fromkeys(("times", "cdot", "ast", "star", "bullet"), "*"),
    **dict.fromkeys(("cup", "bigcup"), "∪"),
    **dict.fromkeys(("cap", "bigcap"), "∩"),
    **dict.fromkeys(("emptyset", "varnothing"), "∅"),
    **dict.fromkeys(("setminus", "backslash", "smallsetminus"), "∖"),
    **dict.fromkeys(("mid", "lvert", "rvert", "vert"), "|"),
    **dict.fromkeys(("to", "rightarrow", "longrightarrow"), "→"),
    **dict.fromkeys(("Rightarrow", "implies", "iff", "Longrightarrow", "Leftrightarrow"), "⇒"),
    **dict.fromkeys(("circ", "degree", "deg"), "°"),
    **dict.fromkeys(("ldots", "dots", "cdots", "dotsc", "dotsb"), "…"),
    **dict.fromkeys(("wedge", "land"), " and "),
    **dict.fromkeys(("vee", "lor"), " or "),
    **dict.fromkeys(("approx", "simeq"), "≈"),
    "lt": "<", "gt": ">", "div": "/", "pm": "±", "mp": "∓", "infty": "∞", "in": "∈", "equiv": "≡", "colon": ":",
    "lbrace": "⦃", "rbrace": "⦄", "langle": "⟨", "rangle": "⟩", "prime": "'", "euro": "€", "pounds": "£", "percent": "%",
    "over": r"\over", "bmod": " mod ", "mod": " mod ", "pmod": " mod ", "varphi": r"\phi", "vartheta": r"\theta",
    "varepsilon": r"\epsilon", "lg": r"\lg", "lbrack": "[", "rbrack": "]", "lparen": "(", "rparen": ")", "arcsec": r"\arcsec",
}  # fmt: skip
WORDS = re.compile(
    r"\\(?:text|textbf|textit|textrm|textnormal|textsf|texttt|mathrm|mathbf|mathit|mathsf|mathtt|mathcal|boldsymbol|bm|mbox|hbox|operatorname|emph|"
    r"underline|fbox|boxed|ensuremath|vec|hat|overrightarrow)\s*\{([^{}]*)\}"
)
SYMBOLS = (
    (re.compile(r"(?<=\d)(?:,?\s?\\[!,]|\{,\})\s?(?=\d{3}(?!\d))"), ""),  # 10,\!000 and 10\,000
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[!]"), ""),
    (re.compile(r"\\(?:\[[^\]]*pt\])"), " "),
    (re.compile(r"\\[,;:> ]|~"), " "),
    (re.compile(r"\\([%&#_])"), r"\1"),
    (re.compile(r"\\\$"), "¤"),
    (re.compile(r"\\\|"), "|"),
    (re.compile(r"\\(?:left|right)\s*\."), ""),
    (re.compile(r"\\not\s*="), "≠"),
    (re.compile(r"\\mathbb\s*\{?\s*([A-Z])\s*\}?"), r" \\bb\1 "),
)
OVER = re.compile(r"\{([^{}]*)\\(over|choose)(?![A-Za-z])([^{}]*)\}")
DEGREES = re.compile(r"\^\s*(?:\{\s*°\s*\}|°)")
MODULUS = re.compile(r"\(\s*mod\s*([^()]*)\)|\bmod\s*\{([^{}]*)\}")
PLAIN_SPELLINGS = (
    (re.compile(r"\b(sq|cu|ft|in|hr|hrs|min|sec|lb|lbs|oz|yd|mi|cm|mm|km)\.(?=\s|$|\^)"), r"\1"),
    (re.compile(r"\bper cent\b"), "percent"),
    (re.compile(r"\bmodulo\b"), "mod"),
    (re.compile(r"\*\*([^*\d(][^*]*)\*\*"), r"\1"),
    (re.compile(r"</?answer>"), ""),
    (re.compile(r"\.{3,}"), "…"),
)
ASCII_SIGNS = (
    (re.compile(r"<="), "≤"),
    (re.compile(r">="), "≥"),
    (re.compile(r"!="), "≠"),
    (re.compile(r"\*\*"), "^"),
)
TIMES = re.compile(r"(?<=\d)\s*[xX]\s*(?=10\s*\^|10\^)|(?<=\d)\s+[xX]\s+(?=\d)")
REPEATING = re.compile(r"(\d)([\u0305\u0307])")
ASIDE = re.compile(r"\s*\(\s*(?:about|approximately|approx\.?|≈|~|roughly|or about|i\.e\.)[^()]*\)$")
CURRENCY_WORDS = {"USD": "¤", "US¤": "¤", "RMB": "¥", "CNY": "¥", "EUR": "€", "GBP": "£"}
CURRENCY_WORD = re.compile(r"^(USD|US¤|RMB|CNY|EUR|GBP)\s*(?=\d)")
SPACED_THOUSANDS = re.compile(r"-?\d{1,3}(?: \d{3})+(?:\.\d+)?")

WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    (r"\(", r"\)"),
    (r"\[", r"\]"),
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
    ('"', '"'),
)
MATH = re.compile(r"\$\$?([^$\s](?:[^$]*[^$\s])?)\$\$?")
BOX = re.compile(r"\\(?:boxed|fbox)\s*(?:\{|(?=[\w(]))")
GOES_ON = ("%", "^", "/", "*", "+", "!", r"\%", r"\frac", r"\pi", r"\sqrt", r"\times", r"\cdot")
OTHER_BOX = re.compile(r"\}\$?\s*(?:,|and|or|,\s*and|\\text\s*\{\s*(?:and|or)\s*\})\s*\$?$")
INTRODUCTION = re.compile(
    r"(?:(?:so|thus|hence|therefore|finally|final)[,:]?\s+)?(?:(?:the|our|my)\s+)?(?:(?:final|correct|right|exact|required|numerical)\s+)*"
    r"(?:answer|result|solution)\s*(?:is|:|=|equals|would be|must be|should be)"
    r"(?:\s*:|\s+equal to|\s+(?:therefore|thus|then|simply|just)(?=\s))?\s*"
    r"|(?:therefore|thus|hence|so)\s*,\s*|(?:it|that) is\s+"
    r"|(?:approximately|approx\.?|about|around|roughly|exactly|option|choice)\s+"
    r"|(?:≈|≡|=|:|⇒|#+)\s*",
    re.IGNORECASE,
)
ENDINGS = ".。,;:!?，；：！？ "
