"""What the words and signs of formulas mean: tables that the tokeniser, the grammar and the printers share."""

from __future__ import annotations

GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "varepsilon", "vartheta", "varphi", "varrho",
    "varsigma", "varpi", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"))

# Styles and accents by what nodes call them, and the macro that prints each.
STYLES = {"bold": "\\mathbf", "rm": "\\mathrm", "sans": "\\mathsf", "cal": "\\mathcal", "text": "\\text",
          "blackboard": "\\mathbb", "it": "\\mathit", "tt": "\\mathtt"}
RUN = "run"  # the style of letters side by side that are one name: kh, OC
ACCENTS = {"hat": "\\hat", "tilde": "\\tilde", "bar": "\\bar", "vec": "\\vec", "dot": "\\dot", "ddot": "\\ddot",
           "check": "\\check", "breve": "\\breve"}

# Operators with more than one meaning, by what nodes call them.
OPERATORS = {"*": "*", "star": "\\star", "circledast": "\\circledast", "otimes": "\\otimes", "odot": "\\odot",
             "circ": "\\circ", "times": "\\times", "mod": "\\bmod", "oplus": "\\oplus", "ominus": "\\ominus",
             "boxtimes": "\\boxtimes", "bullet": "\\bullet", "cup": "\\cup", "cap": "\\cap", "setminus": "\\setminus"}

# Relations, by what chains call them.
RELATIONS = {"=": "=", "==": "=", ":=": ":=", "<-": "\\leftarrow", "->": "\\to", "!=": "\\ne", "<": "<",
             "<=": "\\le", ">": ">", ">=": "\\ge", "in": "\\in", "~": "\\approx", "=>": "\\Rightarrow",
             "<=>": "\\Leftrightarrow", "prop": "\\propto", "notin": "\\notin", "subset": "\\subset", "|": "\\mid",
             "!|": "\\nmid",
             ":": ":", "is": "\\text{ is }"}

RELATION_MACROS = {
    "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">",
    "ne": "!=", "neq": "!=", "approx": "~", "sim": "~", "simeq": "~", "cong": "~", "equiv": ":=", "triangleq": ":=",
    "coloneqq": ":=", "coloneq": ":=", "doteq": ":=", "gets": "<-", "leftarrow": "<-", "longleftarrow": "<-",
    "to": "->", "rightarrow": "->", "longrightarrow": "->", "mapsto": "->", "Rightarrow": "=>", "implies": "=>",
    "Longrightarrow": "=>", "iff": "<=>", "Leftrightarrow": "<=>", "Longleftrightarrow": "<=>", "propto": "prop",
    "in": "in", "notin": "notin", "subset": "subset", "subseteq": "subset", "mid": "|", "nmid": "!|", "colon": ":"}
RELATION_SIGNS = {":=": ":=", "<=": "<=", ">=": ">=", "!=": "!=", "==": "=", "->": "->", "=>": "=>",
                  "=": "=", "<": "<", ">": ">", ":": ":"}

OPERATOR_MACROS = {
    "cdot": "cdot", "cdotp": "cdot", "centerdot": "cdot", "times": "times", "ast": "*", "star": "star",
    "circledast": "circledast", "otimes": "otimes", "odot": "odot", "circ": "circ", "bmod": "mod", "mod": "mod",
    "pmod": "mod", "%": "mod", "div": "/", "pm": "pm", "mp": "mp", "oplus": "oplus", "ominus": "ominus",
    "boxtimes": "boxtimes", "bullet": "bullet", "cup": "cup", "cap": "cap", "setminus": "setminus"}
OPERATOR_SIGNS = {"+": "+", "-": "-", "*": "*", "/": "/", "±": "pm"}

LETTER_MACROS = {**{name: name for name in GREEK}, "infty": "infinity", "ell": "ell", "hbar": "hbar", "imath": "i",
                 "jmath": "j", "top": "T", "intercal": "T", "dagger": "dagger", "emptyset": "emptyset",
                 "varnothing": "emptyset", "R": "R", "Z": "Z", "N": "N"}
BLACKBOARD_MACROS = frozenset("RZN")

LEFT = {"(": "(", "[": "[", "lbrace": "{", "{": "{", "lbrack": "[", "lfloor": "floor", "lceil": "ceil",
        "lvert": "|", "lVert": "||", "langle": "<"}
RIGHT = {")": ")", "]": "]", "rbrace": "}", "}": "}", "rbrack": "]", "rfloor": "floor", "rceil": "ceil",
         "rvert": "|", "rVert": "||", "rangle": ">"}
CLOSES = {"(": ")", "[": "]", "{": "}", "floor": "floor", "ceil": "ceil", "|": "|", "||": "||", "<": ">"}

DOTS = frozenset(("dots", "ldots", "cdots", "vdots", "ddots", "dotsc", "dotsb", "dotsm", "dotsi"))

# Formatting that leaves no mark on the meaning, with the number of arguments that go with it.
SILENT = {
    **dict.fromkeys((
        "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr",
        "Biggl", "Biggr", "bigm", "Bigm", "displaystyle", "textstyle", "scriptstyle", "scriptscriptstyle", "limits",
        "nolimits", "!", ",", "thinspace", "negthinspace", "nonumber", "notag", "hline", "mathstrut", "strut", "null",
        "noindent", "allowbreak", "nobreak", "centering", "small", "footnotesize", "large", "Large", "normalsize",
        "boldmath", "bf", "cal", "mathop", "mathbin", "mathrel", "mathord", "mathopen", "mathclose", "mathpunct",
        "mathinner", "boxed", "underline", "ensuremath", "rlap", "llap", "mathclap", "smash", "relax", "fbox", "/",
        "-", "bigstrut", "protect", "unicode", "bm@", "cr@"), 0),
    **dict.fromkeys(("label", "color", "textcolor", "colorbox", "vspace", "vspace*", "phantom", "hphantom",
                     "vphantom", "class", "cssId", "htmlClass", "require", "intertext@", "eqref", "ref"), 1),
    "fcolorbox": 2, "rule": 2, "fontsize": 2}
WIDE = frozenset((":", ";", " ", ">", "enspace", "medspace", "thickspace", "space", "nobreakspace"))
SOFT = {"quad": 0, "qquad": 0, "hfill": 0, "hspace": 1, "hspace*": 1, "hskip@": 1}

TEXT_MACROS = {"text": "text", "textrm": "text", "textnormal": "text", "textup": "text", "mbox": "text",
               "hbox": "text", "textbf": "bold", "textit": "it", "texttt": "tt", "textsf": "sans", "textsc": "text",
               "intertext": "text", "shortintertext": "text", "operatorname": "rm", "operatorname*": "rm",
               "mathrm": "rm", "mathit": "it", "mathtt": "tt", "mathsf": "sans", "mathnormal": "",
               "DeclareMathOperator": "rm"}
TEXT_SIGNS = {"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "": " "}
PROSE_MACROS = frozenset(m for m in TEXT_MACROS if m.startswith(("text", "mbox", "hbox", "intertext", "short")))
STYLE_MACROS = {"mathbf": "bold", "boldsymbol": "bold", "bm": "bold", "pmb": "bold", "vb": "bold", "mathcal": "cal",
                "mathscr": "cal", "mathfrak": "cal", "mathbb": "blackboard", "Bbb": "blackboard",
                "mathds": "blackboard", "symbf": "bold", "mathbfit": "bold", "bold": "bold"}
SWITCHES = {"rm": "rm", "it": "it", "sf": "sans", "tt": "tt"}
ACCENT_MACROS = {"hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "bar": "bar",
                 "overline": "bar", "vec": "vec", "overrightarrow": "vec", "dot": "dot", "ddot": "ddot",
                 "check": "check", "breve": "breve", "mathring": "dot"}

# Functions with macros of their own, and words that take the factor after them as an argument.
FUNCTION_MACROS = frozenset(("max", "min", "log", "ln", "exp", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arg",
                             "argmax", "argmin", "sup", "inf", "lim", "det", "gcd", "dim", "ker", "deg", "Pr", "#"))
FUNCTIONS = FUNCTION_MACROS | {"rot180", "flip", "vec", "relu", "ReLU", "softmax", "sigmoid", "sign", "sgn", "diag",
                               "tr", "Tr", "im2col", "col2im", "rot"}

# Functions that are recognised even when their letters are written without a macro.
SPELLED = frozenset(("max", "min", "log", "exp", "tanh", "relu", "softmax", "sigmoid", "flip", "rot", "rot180", "vec",
                     "conv", "conv1d", "conv2d", "conv3d", "corr", "pad", "im2col", "col2im", "floor", "ceil",
                     "upsample", "diag", "sign"))

# What words between formulas do: open the conditions, join, or end the cases.
LINKS = {
    **dict.fromkeys(("where", "with", "while", "given", "assuming", "s.t.", "s.t", "such", "subject", "단", "여기서",
                     "이때", "其中"), "where"),
    **dict.fromkeys(("for", "if", "when", "whenever", "provided", "iff", "对于", "当", "若", "如果"), "if"),
    **dict.fromkeys(("then", "so", "thus", "hence", "therefore", "i.e.", "따라서", "则", "所以"), "then"),
    **dict.fromkeys(("and", "그리고", "且", "和", "이고", "및"), "and"), **dict.fromkeys(("or", "또는", "或"), "or"),
    **dict.fromkeys(("otherwise", "else", "elsewhere", "그 외", "그외", "否则", "其他"), "otherwise")}
FILLERS = frozenset(("all", "every", "each", "any", "some", "that", "to", "when", "if", "we", "have"))
ADJECTIVES = frozenset(("odd", "even"))

UNICODE = {
    "∑": "sum", "Σ": "Sigma", "∏": "prod", "∫": "int", "∬": "iint", "∂": "partial", "∇": "nabla", "√": "sqrt",
    "⋆": "star", "★": "star", "☆": "star", "∗": "ast", "×": "times", "⊗": "otimes", "⊙": "odot", "⊛": "circledast",
    "∘": "circ", "·": "cdot", "⋅": "cdot", "∙": "cdot", "•": "bullet", "÷": "div", "±": "pm", "∓": "mp", "⊕": "oplus",
    "≤": "le", "⩽": "le", "≥": "ge", "⩾": "ge", "≠": "ne", "≈": "approx", "≡": "equiv", "≜": "triangleq",
    "≔": "coloneqq", "∼": "sim", "∈": "in", "∉": "notin", "⊂": "subset", "⊆": "subseteq", "←": "leftarrow",
    "→": "to", "↦": "mapsto", "⇒": "Rightarrow", "⇔": "iff", "∝": "propto", "∣": "mid", "∤": "nmid", "∀": "forall",
    "⌊": "lfloor", "⌋": "rfloor", "⌈": "lceil", "⌉": "rceil", "⟨": "langle", "⟩": "rangle", "‖": "|",
    "∞": "infty", "ℓ": "ell", "ℝ": "R", "ℤ": "Z", "ℕ": "N", "⊤": "top", "∅": "emptyset", "∧": "land", "∨": "lor",
    "…": "dots", "⋯": "cdots", "⋮": "vdots", "⋱": "ddots", "−": "minus", "–": "minus", "⁄": "div", "∕": "div",
    "′": "apostrophe", "’": "apostrophe", "´": "apostrophe",
    **dict(zip("αβγδεζηθικλμνξπρστυφχψωϵϕϑΓΔΘΛΞΠΥΦΨΩ",
               ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon "
                "phi chi psi omega epsilon phi vartheta Gamma Delta Theta Lambda Xi Pi Upsilon Phi Psi Omega").split(),
               strict=True))}
SUBSCRIPTS = {**dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ", "0123456789+-()aeoxhklmnpstijruv", strict=True))}
SUPERSCRIPTS = {**dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵀˡᵏ", "0123456789+-()niTlk", strict=True))}
