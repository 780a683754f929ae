"""`verify_claim` over the corpus: no wrong verdict, and nearly everything decided.

Whether a verdict is wrong is settled by the facts of the corpus, which import nothing of symconv: a condition
is read as text and compared with the enumerated table, a counterexample with the sizes it names.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest
from corpus.facts import FACTS, Fact, classify

from symconv.claims.finding import Finding
from symconv.claims.verify import verify_claim

CORPUS = Path(__file__).parent / "corpus"
FORMULAS = [f for path in sorted(CORPUS.glob("*.toml")) for f in tomllib.loads(path.read_text("utf-8"))["formula"]]
DECIDED = ("proved", "proved_if", "proved_for", "refuted")
ENOUGH = 0.9  # of all formulas must be decided
UNREAD = 5  # conditions may be in words that `predicate` does not read

# Formula to the reason why its verdict may differ from the truth of the table.
EXCEPTIONS: dict[str, str] = {}

# What sizes are called in conditions, in terms of the fact's own: {"|x|": "n"} says the length of x is n.
PLANE = {"|X|_1": "n", "|X|_2": "m"}
KERNEL = {"k_1": "h", "k_2": "k", "K_H": "h", "K_W": "k", "K_h": "h", "K_w": "k", "|x^l|_1": "n", "|x^l|_2": "m"}
NAMES: dict[str, dict[str, str]] = {
    "strided-dw-forgotten": {"|y|": "(n - k) // s + 1"},
    "true-convolution-dx-flipped": {"|h|": "k"},
    "goodfellow-9.13-swapped": {"|K|_1": "o", "|V|_1": "c"},
    "goodfellow-9.11-no-stride": {"|Z|_2": "(n - k) // s + 1", "|Z|_3": "(n - k) // s + 1"},
    "batch-db-one-example": {"|X|_1": "batch", "B": "batch"},
    "three-d-dx-mixed": {"|W|_3": "c"},
    "depthwise-dw-channel-sum": {"|hat K|_3": "channels"},
    "grouped-dw-crossed": {"|w|_2": "o", "|w|_3": "c"},
    "locally-connected-shared-sum": {"|V|_1": "n", "|V|_2": "n", "|w|_3": "k", "|w|_4": "k"},
    "pinard-dw-rot": {"|W^l|": "(h, k)", "|a^l-1|": "(n, m)"},
    "shift-wrong-direction": {"Delta": "d"},
    "update-no-rate": {"eta": "rate"},
    "vsipl-minimum-support": {"D": "s", "M": "k"},
    "cs231n-no-floor": {"W": "i", "F": "k"},
    "d2l-read-per-side": {"p_h": "p"},
    "parameters-one-bias": {"C_out": "o"},
    "shifted-impulse": {"n_0": "t"},
    "transposed-dx-strides-delta-wrong": {"|w|": "k", "|x|": "n"},
    "strided-too-many-zeros": {"|y|": "(n - k) // s + 1"},
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """One formula, what was found, and what is wrong with that ("" if nothing)."""

    formula: dict
    finding: Finding
    wrong: str = ""
    unread: bool = False

    @property
    def decided(self) -> bool:
        return self.finding.verdict in (("definition",) if self.formula["truth"] == "definition" else DECIDED)

    @property
    def blunt(self) -> bool:
        """Called false, rightly, where a condition under which it is true could be told."""
        return self.formula["truth"] == "conditional" and self.finding.verdict == "refuted" and not self.wrong

    def __str__(self) -> str:
        f = self.finding
        return (f"{self.formula['id']} [{self.formula['truth']}{self.formula.get('condition', '') and ': '}"
                f"{self.formula.get('condition', '')}] -> {f.verdict} {f.condition or f.message[:150]}"
                + (f"\n    {self.wrong}" if self.wrong else ""))  # fmt: skip


@pytest.fixture(scope="module")
def results() -> list[Result]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(map(judged, FORMULAS, pool.map(verdict, FORMULAS, chunksize=8)))


def verdict(formula: dict) -> Finding:
    return verify_claim(formula["latex"], given=formula["given"])


def test_no_verdict_is_wrong(results: list[Result]) -> None:
    wrong = [r for r in results if r.wrong and r.formula["id"] not in EXCEPTIONS]
    assert not wrong, "\n".join(map(str, ["", *wrong]))


def test_exceptions_are_still_needed(results: list[Result]) -> None:
    assert set(EXCEPTIONS) <= {r.formula["id"] for r in results if r.wrong}


def test_nearly_everything_is_decided(results: list[Result]) -> None:
    undecided = [r for r in results if not r.decided]
    print(table(results))
    assert len(undecided) <= (1 - ENOUGH) * len(results), table(results)


def test_conditions_can_be_read(results: list[Result]) -> None:
    unread = [r for r in results if r.unread]
    assert len(unread) <= UNREAD, "name their sizes in NAMES:\n" + "\n".join(map(str, unread))


def table(results: list[Result]) -> str:
    """How many of each truth got which verdict; then what is undecided, and what could be said better."""
    counts = Counter((r.formula["truth"], r.finding.verdict) for r in results)
    lines = [f"{count:5} {truth} -> {said}" for (truth, said), count in sorted(counts.items())]
    lines += ["undecided:", *(str(r) for r in results if not r.decided)]
    return "\n".join([*lines, "refuted, conditional in the corpus:", *(str(r) for r in results if r.blunt)])


# --- is a verdict wrong? ----------------------------------------------------------------------------


def judged(formula: dict, finding: Finding) -> Result:
    truth, said = formula["truth"], finding.verdict
    if truth == "definition" or said not in DECIDED:
        wrong = "it is a definition" if truth == "definition" and said in DECIDED else ""
        return Result(formula, finding, wrong)
    fact = FACTS[formula["id"]]
    if truth == "true":
        return Result(formula, finding, "" if said == "proved" else "it holds for all sizes")
    if said == "proved":
        return Result(formula, finding, "it fails for some sizes")
    if said == "refuted":
        return Result(formula, finding, contradicted(formula, fact, finding))
    holds = predicate(finding.condition, naming(formula, fact))
    if holds is None:
        return Result(formula, finding, unread=True)
    # "Zero outside" makes the formula true; without it small sizes may happen to agree.
    return Result(formula, finding, mismatch(fact, holds, exact=said == "proved_if" and "zero" not in fact.box))


def mismatch(fact: Fact, holds: Callable[[dict], bool], *, exact: bool) -> str:
    """Sizes for which a condition says otherwise than the enumerated table; a sufficient one may say less."""
    for sizes, parts in fact.parts:
        said, true = bool(holds(sizes)), all(parts)
        if said != true and (exact or said):
            return f"for {sizes} it is {true}, the condition says {said}"
    return ""


def contradicted(formula: dict, fact: Fact, finding: Finding) -> str:
    """The sizes of the counterexample, when the formula holds for all of the box that have them."""
    if finding.counterexample is None:
        return "refuted without a counterexample"
    parts = formula.get("parts", ())
    if finding.part < len(parts) and parts[finding.part] == "true":
        return f"part {finding.part} of the chain is true"
    names = naming(formula, fact)
    known = [(names[name], value) for name, value in finding.counterexample.sizes if name in names]
    same = [all(parts) for sizes, parts in fact.parts if all(number(text, sizes) == value for text, value in known)]
    return f"it holds for {known}" if same and all(same) else ""


def naming(formula: dict, fact: Fact) -> dict[str, str]:
    """Size names of the finding to expressions in the names of the fact."""
    names = {name: name for name in fact.box} | {name.upper(): name for name in fact.box}
    usual = {"|x|": "n", "|X|": "n", **PLANE, **KERNEL}
    names |= {name: text for name, text in usual.items() if set(re.findall(r"\w+", text)) <= set(fact.box)}
    return names | NAMES.get(formula["id"], {})


def number(text: str, sizes: dict) -> object:
    return eval(text, {"__builtins__": {}}, dict(sizes))


def predicate(text: str, names: dict[str, str]) -> Callable[[dict], bool] | None:
    """The meaning of a condition's text, or None when it has words or names that are not known."""
    alternatives = [[relation(atom.strip(), names) for atom in part.split(" and ")] for part in text.split(" or ")]
    if any(atom is None for part in alternatives for atom in part):
        return None
    return lambda sizes: any(all(number(atom, sizes) for atom in part if atom) for part in alternatives)


def relation(atom: str, names: dict[str, str]) -> str | None:
    """One comparison as Python."""
    if re.fullmatch(r".* is zero outside its range", atom):
        return "zero == 1"
    if m := re.fullmatch(r"(.+) divides (.+)", atom):
        divisor, number_ = translated(m[1], names), translated(m[2], names)
        return divisor and number_ and f"({number_}) % ({divisor}) == 0"
    if m := re.fullmatch(r"(.+) is (odd|even)", atom):
        number_ = translated(m[1], names)
        return number_ and f"({number_}) % 2 == {int(m[2] == 'odd')}"
    if m := re.fullmatch(r"([^<>=]+)(<=|>=|!=|=|<|>)([^<>=]+)", atom):
        left, right = translated(m[1], names), translated(m[3], names)
        return left and right and f"({left}) {'==' if m[2] == '=' else m[2]} ({right})"
    return None


TOKEN = re.compile(r"(?P<name>\|[^|]+\|(?:_\d)?|[A-Za-z]\w*)|(?P<number>\d+)(?P<times>(?=[A-Za-z|(]))?|[-+*/() ]|(.)")


def translated(text: str, names: dict[str, str]) -> str | None:
    """An arithmetic expression in the names of the fact."""
    read = ""
    for m in TOKEN.finditer(text):
        if m["name"]:
            if m["name"] not in names:
                return None
            read += names[m["name"]] if names[m["name"]].isidentifier() else f"({names[m['name']]})"
        elif m[4]:
            return None
        else:
            read += m[0] + ("*" if m["times"] is not None else "")
    return read


PLANE_LAYER = (r"Y_{i,j} = \sum_{m=0}^{K-1}\sum_{n=0}^{K-1} X_{i+m,j+n} W_{m,n}", r"\star is full cross-correlation")
LINE_LAYER = (r"o_i = \sum_{j=1}^{k} w_j x_{i+j-1}", r"\delta_i = \frac{\partial L}{\partial o_i}")
CHANNEL_LAYER = (r"y_{o,i,j} = \sum_c W_{oc} x_{c,i,j}", r"\delta_{o,i,j} = \frac{\partial L}{\partial y_{o,i,j}}")
INPUT_GRADIENT = r"\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} \star "


@pytest.mark.parametrize(("given", "latex"), [
    (PLANE_LAYER, INPUT_GRADIENT + r"\mathrm{rot}_{90}(W)"),  # by a right angle, not by two
    (PLANE_LAYER, INPUT_GRADIENT + r"\mathrm{rot270}(W)"),
    (PLANE_LAYER, INPUT_GRADIENT + r"\mathrm{rot}_{80}(W)"),
    (PLANE_LAYER, INPUT_GRADIENT + r"\mathrm{fliplr}(W)"),  # one axis only
    (PLANE_LAYER, INPUT_GRADIENT + r"\mathrm{flipud}(W)"),
    (("y = W x", r"\delta = \nabla_y L"), r"\nabla_x L = W^T \sum\delta"),  # the sum of a vector is a number
    (CHANNEL_LAYER, r"\frac{\partial L}{\partial W_{oc}} = \sum_{i,j}\sum_{i,j} \delta_{o,i,j} x_{c,i,j}"),
    (LINE_LAYER, r"\frac{\partial L}{\partial w_i} = \sum_j \delta_j x_{m+j-1}"),  # m is bound nowhere
    (LINE_LAYER, r"\frac{\partial L}{\partial w_j} = \sum_j \delta_j x_{i+j-1}"),
    (LINE_LAYER, r"\frac{\partial L}{\partial w_i} = \sum_j \delta_j x_{i+j}"),
])  # fmt: skip
def test_what_a_quick_eye_lets_pass_is_not_proved(given: tuple[str, ...], latex: str) -> None:
    assert verify_claim(latex, given=given).verdict != "proved"


@pytest.mark.parametrize(("given", "latex"), [
    (PLANE_LAYER, INPUT_GRADIENT + r"\mathrm{rot}_{180}(W)"),
    (PLANE_LAYER, INPUT_GRADIENT + r"\mathrm{rot180}(W)"),
    (PLANE_LAYER, INPUT_GRADIENT + r"\operatorname{rot}_{180^\circ}\left\{ W \right\}"),
    (("y = W x", r"\delta = \nabla_y L"), r"\nabla_x L = W^T \delta"),
    (CHANNEL_LAYER, r"\frac{\partial L}{\partial W_{oc}} = \sum_{i,j} \delta_{o,i,j} x_{c,i,j}"),
    (LINE_LAYER, r"\frac{\partial L}{\partial w_i} = \sum_m \delta_m x_{i+m-1}"),
])  # fmt: skip
def test_its_true_counterpart_is_proved(given: tuple[str, ...], latex: str) -> None:
    assert verify_claim(latex, given=given).verdict == "proved"


CONVOLUTION = (r"(f * g)(t) = \int_{-\infty}^{\infty} f(\tau) g(t-\tau) d\tau",)
ACTIVATED = (r"z^{l} = w^l a^{l-1} + b^l", r"a^l = \sigma(z^l)", r"\delta^l = \frac{\partial C}{\partial z^l}")


@pytest.mark.parametrize(("given", "latex"), [
    (CONVOLUTION, r"f * \delta = f"),  # the unit impulse
    ((r"(f * g)[n] = \sum_m f[m] g[n-m]",), r"f * \delta = f"),
    (CONVOLUTION, r"\widehat{f * g} = \hat{f} \hat{g}"),  # Fourier transforms
    (CONVOLUTION, r"\mathcal{F}(f * g) = \mathcal{F}(f) \mathcal{F}(g)"),
    (CONVOLUTION, r"\int_0^t f(\tau) g(t-\tau) d\tau = \int_0^t f(t-\tau) g(\tau) d\tau"),
    ((), r"F(\omega) G(\omega) = H(\omega)"),
    ((), r"\sqrt{16} = 4"),
    ((), r"10/3 \approx 3.33"),
    (PLANE_LAYER, r"(W^T)^T = W"),
    ((), r"\sigma'(z) = \sigma(z)(1 - \sigma(z))"),
    ((), r"\tanh'(z) = 1 - \tanh^2(z)"),
    (LINE_LAYER, r"\frac{\partial L}{\partial z_i} = p_i - y_i"),  # softmax with cross-entropy
    (ACTIVATED, r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)"),
    (ACTIVATED, r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'"),  # the argument goes without saying
])  # fmt: skip
def test_what_is_true_is_not_refuted(given: tuple[str, ...], latex: str) -> None:
    assert verify_claim(latex, given=given).verdict not in ("refuted", "proved_if", "proved_for")


def test_conditions_are_compared_with_the_table() -> None:
    fact = FACTS["dilated-dx-forgotten"]
    names = {name: name for name in fact.box}
    assert classify(fact) == "conditional"
    for text, *answers in (("d = 1 or k = 1", True, True), ("d = 1", False, True), ("d <= 2", False, False)):
        holds = predicate(text, names)
        assert holds and [not mismatch(fact, holds, exact=exact) for exact in (True, False)] == answers
    assert predicate("k is large", names) is None and predicate("z = 1", names) is None
    assert relation("s divides i - 2P", {"s": "s", "i": "i", "P": "p"}) == "(i - 2*p) % (s) == 0"
