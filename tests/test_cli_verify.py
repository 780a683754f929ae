"""`symconv verify` and `symconv explain` at the command line; the deciding is a stand-in."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from symconv.claims import files
from symconv.claims.files import Job, in_processes
from symconv.claims.finding import Finding
from symconv.claims.report import Outcome
from symconv.cli import main
from symconv.errors import SymconvError
from symconv.telling import command

ROOT = Path(__file__).resolve().parent.parent
FINDINGS = {
    "proved": Finding(r"\sum_j w_j", "proved", "SC100", "note", "true for all sizes"),
    "refuted": Finding("o = n + k", "refuted", "SC101", "error", "it is false"),
    "proved_if": Finding("o = n", "proved_if", "SC102", "warning", "it depends", condition="k = 1"),
    "checked": Finding("a = b", "checked", "SC104", "note", "up to 5"),
    "not_understood": Finding("a < b", "not_understood", "SC001", "note", "an inequality"),
    "remark": Finding("x_e", "", "SC010", "warning", "x_e is declared nowhere"),
    "broken": Finding("", "", "SC002", "error", "a directive"),
}


def fake_verify(text: str, *, given: Sequence[str] = (), source: str = "markdown", path: str = "-") -> list[Finding]:
    """A finding for each line that names one; `crash` and `unreadable` raise."""
    from dataclasses import replace

    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line == "crash":
            raise ZeroDivisionError("division by zero")
        if line == "unreadable":
            raise SymconvError("the notebook is no JSON")
        if line == "arguments":
            said = f"{source} {list(given)}"
            found.append(replace(FINDINGS["proved"], message=said, path=path, line=number, end_line=number))
        elif line in FINDINGS:
            found.append(replace(FINDINGS[line], path=path, line=number, end_line=number, end_column=len(line) + 1))
    return found[::-1]


def fake_claim(latex: str, given: Sequence[str] = ()) -> list[Finding]:
    return fake_verify(latex, given=given)


def stand_ins() -> dict[str, ModuleType]:
    """The modules that read and decide, replaced."""
    verify, document = ModuleType("symconv.claims.verify"), ModuleType("symconv.notation.document")
    vars(verify).update(verify=fake_verify, claim_findings=fake_claim)
    vars(document).update(source_of=lambda path: "latex" if path.endswith(".tex") else "markdown")
    return {module.__name__: module for module in (verify, document)}


@pytest.fixture(autouse=True)
def deciding(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in stand_ins().items():
        monkeypatch.setitem(sys.modules, name, module)


def run(*words: str, stdin: str | bytes = "") -> Result:
    result = CliRunner().invoke(main, words, input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def note(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


# -- what is read -----------------------------------------------------------------------------------------------------

def test_one_file(tmp_path: Path):
    path = note(tmp_path, "a.md", "refuted\nproved\n")
    result = run("verify", path)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == f"{path}:1:1: SC101 refuted", "in the order of the document"
    assert result.stdout.splitlines()[-1] == "2 formulas: 1 proved, 1 refuted"


def test_standard_input():
    for words in ((), ("-",)):
        result = run("verify", *words, stdin="\ufeffrefuted\r\nproved\r\n")
        assert result.exit_code == 1 and "-:1:1: SC101 refuted" in result.stdout
        assert "-:2:1: SC100 proved for all sizes" in result.stdout
    assert run("verify", stdin="").stdout == "no formulas\n"
    assert run("verify", stdin=b"\xff").exit_code == 2


def test_source_goes_by_the_name_unless_told(tmp_path: Path):
    tex = note(tmp_path, "a.tex", "arguments")
    assert "SC100 latex []" in run("verify", tex, "--format", "concise").stdout
    told = run("verify", tex, "--format", "concise", "--source", "text", "--given", "x: n", "--given", "y").stdout
    assert "SC100 text ['x: n', 'y']" in told
    assert "SC100 markdown []" in run("verify", "--format", "concise", stdin="arguments").stdout
    assert "SC100 notebook []" in run("verify", "--format", "concise", "--source", "notebook", stdin="arguments").stdout


def test_folders_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("b/z.md", "b/a.MARKDOWN", "a.tex", "c.ipynb", "d.txt", "e.py", ".git/x.md", "node_modules/x.md"):
        note(tmp_path, name, "proved")
    monkeypatch.chdir(tmp_path)
    result = run("verify", ".", "b/z.md", "e.py", "--format", "concise")
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        "./a.tex", "./c.ipynb", "./d.txt", "./b/a.MARKDOWN", "./b/z.md", "e.py"]
    assert "6 formulas in 6 files: 6 proved" in result.stderr


def test_a_claim(tmp_path: Path):
    result = run("verify", "--claim", "refuted", "--given", "o = n")
    assert result.exit_code == 1 and result.stdout.startswith("-:1:1: SC101 refuted\n  1 | refuted\n    | ^^^^^^^\n")
    assert run("verify", "--claim", "proved").exit_code == 0
    crashed = run("verify", "--claim", "crash")
    assert crashed.exit_code == 1 and "SC190" in crashed.stdout and "ZeroDivisionError" in crashed.stdout


# -- exit codes -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("text", "plain", "strict"), [
    ("", 0, 0), ("proved", 0, 0), ("remark", 0, 0), ("refuted", 1, 1), ("proved_if", 1, 1), ("broken", 1, 1),
    ("checked", 0, 1), ("not_understood", 0, 1)])
@pytest.mark.parametrize("format_", ["full", "concise", "json", "sarif", "github"])
def test_exit_codes(text: str, plain: int, strict: int, format_: str):
    assert run("verify", "--format", format_, stdin=text).exit_code == plain
    assert run("verify", "--format", format_, "--fail-on-unchecked", stdin=text).exit_code == strict
    assert run("verify", "--format", format_, "--fail-on-unchecked", "--exit-zero", stdin=text).exit_code == 0


@pytest.mark.parametrize(("words", "says"), [
    (("missing.md",), "there is no file or folder missing.md"),
    (("--claim", "x", "a.md"), "--claim takes the place of files"),
    (("--format", "xml"), "'xml' is not one of"),
    (("--source", "word"), "'word' is not one of"),
    (("empty",), "there is no .md, .markdown, .tex, .ipynb or .txt file in empty"),
    (("latin.md",), "latin.md is not UTF-8: byte 1"),
    (("--claim", "unreadable"), "the notebook is no JSON")])
@pytest.mark.parametrize("format_", ["full", "json"])
def test_usage_errors(words: tuple[str, ...], says: str, format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.md").write_bytes(b"x\xe9")
    result = run("verify", "--format", format_, *words)
    assert result.exit_code == 2 and says in result.stderr and "Traceback" not in result.output


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_is_not_waited_for():
    import pty

    ours, theirs = pty.openpty()
    try:
        result = subprocess.run([sys.executable, "-m", "symconv", "verify"], stdin=theirs, capture_output=True,
                                text=True, check=False, cwd=ROOT, timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert result.returncode == 2 and "nothing to verify; for example: symconv verify notes.md" in result.stderr


def test_a_terminal_without_the_letters_still_shows_something(tmp_path: Path):
    path = note(tmp_path, "합성곱.md", "refuted")
    script = ("import sys, test_cli_verify\nfrom symconv.cli import main\n"
              f"sys.modules.update(test_cli_verify.stand_ins())\nmain(['verify', {path!r}])")
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])})
    assert result.returncode == 1, result.stderr
    assert rb"\ud569\uc131\uacf1.md:1:1: SC101 refuted" in result.stdout


def test_an_evil_path_does_not_reach_the_terminal(tmp_path: Path):
    result = run("verify", str(tmp_path / "a\x1b[31m.md"))
    assert result.exit_code == 2 and "\x1b" not in result.stderr and "a␛[31m.md" in result.stderr


def test_a_progress_bar_counts_every_file(tmp_path: Path):
    jobs = [Job(note(tmp_path, f"{n}.md", "proved")) for n in range(3)]
    stream = io.StringIO()
    assert [o.path for o in command._with_progress(jobs, stream)] == [j.path for j in jobs]


def test_one_bad_file_stops_no_other(tmp_path: Path):
    paths = [note(tmp_path, f"{n}.md", text) for n, text in enumerate(("proved", "crash", "unreadable", "refuted"))]
    result = run("verify", *paths, "--format", "json")
    assert result.exit_code == 2
    data = json.loads(result.stdout)
    assert [f["code"] for f in data["findings"]] == ["SC100", "SC190", "SC101"]
    assert data["findings"][1]["path"] == paths[1]
    assert data["findings"][1]["message"] == "internal error, please report it: ZeroDivisionError: division by zero"
    assert data["summary"]["unreadable"] == [{"path": paths[2], "reason": "the notebook is no JSON"}]
    assert result.stderr == f"error: {paths[2]}: the notebook is no JSON\n"
    assert run("verify", paths[1]).exit_code == 1 and "Traceback" not in run("verify", paths[1]).output


@pytest.mark.parametrize("format_", ["json", "sarif"])
def test_documents_stand_alone(format_: str, tmp_path: Path):
    path = note(tmp_path, "a.md", "refuted\nbroken")
    result = run("verify", path, "--format", format_)
    assert json.loads(result.stdout) and result.stderr == ""


# -- in parallel ------------------------------------------------------------------------------------------------------

def work(job: Job) -> Outcome:
    """A worker: one file ends its process, one raises, the others answer with the process's number."""
    if "die" in job.path:
        os._exit(3)
    if "raise" in job.path:
        raise ValueError("not caught")
    return Outcome(job.path, text=str(os.getpid()))


def test_workers_that_die_cost_their_own_file_only():
    calls: list[int] = []
    jobs = [Job(name) for name in ("a", "die", "b", "raise", "c")]
    outcomes = in_processes(jobs, lambda: calls.append(1), work)
    assert [o.path for o in outcomes] == [j.path for j in jobs] and len(calls) == 5
    assert ["SC190" if o.findings else "" for o in outcomes] == ["", "SC190", "", "SC190", ""]
    assert "the process ended" in outcomes[1].findings[0].message
    assert "ValueError: not caught" in outcomes[3].findings[0].message
    assert str(os.getpid()) not in {o.text for o in outcomes}


def test_processes_are_started_only_when_worth_it(monkeypatch: pytest.MonkeyPatch):
    used: list[int] = []
    monkeypatch.setattr(files, "in_processes", lambda jobs, done, work: used.append(len(jobs)) or [])
    small, large = Job("a", text="proved"), Job("b", text="x" * files.WORTH)
    assert [o.path for o in files.verify_all([small, small])] == ["a", "a"]
    assert len(files.verify_all([large])) == 1 and used == []
    assert files.verify_all([small, large]) == [] and used == [2]


# -- explain ----------------------------------------------------------------------------------------------------------

def test_explain():
    result = run("explain", "SC101")
    assert result.exit_code == 0
    for word in ("SC101 refuted (error)", "Given:", "Example: ", "Fix:     ", r"\sum_j \delta_j x_{i+j-1}"):
        assert word in result.stdout
    listed = run("explain").stdout.splitlines()
    assert len(listed) == 16 and listed[0].startswith("SC001 note ")
    unknown = run("explain", "SC1O1")
    assert unknown.exit_code == 2 and "did you mean SC101?" in unknown.stderr and unknown.stdout == ""


# -- start-up and packaging -------------------------------------------------------------------------------------------

HEAVY = ("sympy", "numpy", "islpy", "markdown_it", "pylatexenc", "rich", "jinja2")


@pytest.mark.parametrize("words", [["--help"], ["verify", "--help"], ["explain", "--help"]])
def test_nothing_heavy_is_loaded_for_help(words: list[str]):
    script = (f"import sys\nfrom symconv.cli import main\ntry:\n    main({words})\nexcept SystemExit as e:\n"
              f"    assert not e.code\nprint([m for m in {HEAVY} if m in sys.modules])")
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0 and result.stdout.splitlines()[-1] == "[]", result.stderr


def test_explain_needs_no_mathematics():
    script = ("import sys\nfrom symconv.cli import main\ntry:\n    main(['explain'])\nexcept SystemExit:\n    pass\n"
              f"print([m for m in {HEAVY} if m in sys.modules and m not in ('rich', 'markdown_it')])")
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


def test_the_hook_runs_a_command_that_exists():
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    for line in ("- id: symconv-verify", "  entry: symconv verify", "  language: python",
                 "  types_or: [markdown, tex, jupyter]"):
        assert line in hooks.splitlines()
    assert "verify" in main.commands and "explain" in main.commands
