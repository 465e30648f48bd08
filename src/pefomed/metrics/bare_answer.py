r"""The answer in what a model gave: thoughts, tokens of turns, JSON and LaTeX around it are taken off.

Only what is beyond doubt: a thought that is closed, an object that says which of its texts is the answer,
`\boxed{Yes}`, `$5\,\text{mm}$`. Signs stay what they are (`\leq 5` is `≤ 5`, `\frac{1}{2}` is `1/2`), an
unknown command stays.
"""

from __future__ import annotations

import json
import re

from pefomed.metrics.thoughts import without_thoughts


def answer_in(text: str) -> str:
    """Return the answer that `text` holds, in its own marks and case."""
    if not any(mark in text for mark in "<[{\\$\u25c1") and not text.startswith("analysis"):
        return text
    text = without_thoughts(text)
    return without_latex(_in_json(text))


def without_latex(text: str) -> str:
    """Return `text` with LaTeX's mathematics as plain signs."""
    if "\\" not in text and "$" not in text:
        return text
    for _ in range(_DEEPEST):
        before, text = text, _FRACTION.sub(_fraction, _AROUND.sub(r"\1", text))
        if text == before:
            break
    text = _DELIMITED.sub(_within, text)
    return _COMMAND.sub(lambda found: _SIGNS[found[1]], text) if "\\" in text else text


def _in_json(text: str) -> str:
    """Return the text that a JSON object names as the answer."""
    bare = fenced[1] if (fenced := _FENCED.fullmatch(text)) else text
    if quoted := _PYTHON.fullmatch(bare):
        return quoted[1]
    if not (bare.startswith("{") and bare.endswith("}")):
        return text
    try:
        pairs = json.loads(bare, object_pairs_hook=list, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return text
    if not all(isinstance(pair, tuple) for pair in pairs):
        return text
    named = [value for name, value in pairs if name.casefold() in _ANSWER]
    if len(pairs) == 1 and pairs[0][0].casefold() in _ALONE:
        named = [pairs[0][1]]
    return named[0] if len(named) == 1 and isinstance(named[0], str) else text


def _fraction(match: re.Match[str]) -> str:
    parts = (part.strip() for part in match.groups())
    over, under = (part if re.fullmatch(r"[\w.]+", part) else f"({part})" for part in parts)
    # One and a half is no 11/2.
    return f"{' ' if match.string[: match.start()][-1:].isdigit() else ''}{over}/{under}"


def _within(match: re.Match[str]) -> str:
    """Return what stands between the signs that begin and end mathematics."""
    text = next(filter(None, match.groups()), "")
    text = _SPACE.sub(" ", text).replace("{,}", ",")
    text = _SIDES.sub("", text)
    text = re.sub(r"\^\s*(?:\{\\circ\}|\\circ\b)", "\u00b0", text)
    text = re.sub(r"\^\{([^{}]*)\}", r"^\1", text)
    text = re.sub(r"_(?:\{([^{}]*)\}|(?=\w))", r"\1", text)
    return re.sub(r"\{([^{}\\]*)\}", r"\1", text)


_DEEPEST = 8
_ANSWER = ("answer", "final_answer", "final answer", "finalanswer")
_ALONE = (*_ANSWER, "response", "prediction", "output", "result", "reply", "text", "report", "caption")

_FENCED = re.compile(r"```(?:jsonc?)?\s*(\{[^`]*\})\s*```", re.IGNORECASE)
_PYTHON = re.compile(rf"\{{\s*'(?:{'|'.join(_ALONE)})'\s*:\s*'([^'\\]*)'\s*\}}", re.IGNORECASE)

_AROUND = re.compile(
    r"\\(?:boxed|fbox|mbox|text(?:bf|it|rm|sf|tt|normal|up)?|math(?:rm|bf|it|sf|tt)"
    r"|operatorname\*?|emph|underline)"
    r"\s*\{([^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
# A dollar of money has a space or a digit where mathematics has none.
_DELIMITED = re.compile(
    r"\$\$([^$]{1,500})\$\$|(?<![\\$\w])\$(?![\s$])([^$\n]{1,500})(?<![\s\\])\$(?![\d$])"
    r"|\\\(((?:(?!\\[()]).){1,500})\\\)|\\\[((?:(?!\\[\[\]]).){1,500})\\\]",
    re.DOTALL,
)
_SPACE = re.compile(r"\\[,;: !]|\\q?quad\b|~")
_SIDES = re.compile(r"\\(?:left|right|big|Big)(?=\s*[()\[\]|.<>/\\])\.?")
_SIGNS = {
    **dict.fromkeys(("leq", "le", "leqslant"), "\u2264"),
    **dict.fromkeys(("geq", "ge", "geqslant"), "\u2265"),
    **dict.fromkeys(("neq", "ne"), "\u2260"),
    **dict.fromkeys(("to", "rightarrow", "Rightarrow", "longrightarrow"), "\u2192"),
    **dict.fromkeys(("leftarrow", "Leftarrow"), "\u2190"),
    **dict.fromkeys(("degree", "circ"), "\u00b0"),
    "lt": "<", "gt": ">", "ll": "\u226a", "gg": "\u226b", "pm": "\u00b1",
    "times": "\u00d7", "approx": "\u2248",
    "sim": "~", "uparrow": "\u2191", "downarrow": "\u2193", "%": "%", ",": " ", "quad": " ",
    "alpha": "\u03b1", "beta": "\u03b2", "gamma": "\u03b3", "delta": "\u03b4", "epsilon": "\u03b5", 
    "zeta": "\u03b6",
    "eta": "\u03b7", "theta": "\u03b8", "kappa": "\u03ba", "lambda": "\u03bb", "mu": "\u03bc", "pi": "\u03c0",
    "rho": "\u03c1", "sigma": "\u03c3", "tau": "\u03c4", "phi": "\u03c6", "chi": "\u03c7", "psi": "\u03c8",
    "omega": "\u03c9", "Delta": "\u0394",
}  # fmt: skip
_COMMAND = re.compile(
    rf"\\({'|'.join(sorted((re.escape(s) for s in _SIGNS), key=len, reverse=True))})(?![A-Za-z])"
)
