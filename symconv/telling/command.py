"""`symconv verify`: from what was typed to what is printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TextIO

import click

from symconv.claims.files import Job, find, internal, verify_all
from symconv.claims.report import Outcome, Report
from symconv.errors import SymconvError
from symconv.telling.plain import joined

if TYPE_CHECKING:
    from rich.console import Console

FORMATS = ("full", "concise", "json", "sarif", "github")
SOURCES = ("markdown", "latex", "notebook", "text")


@dataclass(frozen=True, slots=True)
class Request:
    """What is verified and how it is told."""

    paths: tuple[str, ...] = ()
    claim: str | None = None
    given: tuple[str, ...] = ()
    source: str = ""
    format_: str = "full"
    fail_on_unchecked: bool = False
    exit_zero: bool = False


def run(request: Request, console: Console) -> int:
    """Verify, print, and return the exit code.

    Raises:
        SymconvError: a path does not exist, or the claim cannot be worked on.
    """
    try:
        report = Report(tuple(_outcomes(request)))
    except SymconvError as e:
        raise SymconvError(joined(str(e))) from e  # it may quote a path or a formula
    for stream in (sys.stdout, sys.stderr):  # a formula must not fail on a terminal without its letters
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    tell(report, request.format_, console, sys.stdout.isatty())
    for outcome in report.unreadable:
        where = "" if outcome.path in outcome.unreadable else f"{outcome.path}: "
        click.echo(f"error: {joined(where + outcome.unreadable)}", err=True)
    return report.exit_code(request.fail_on_unchecked, request.exit_zero)


def tell(report: Report, format_: str, console: Console, wrap: bool) -> None:
    """Print a report in one of FORMATS; for json and sarif nothing else goes to standard output."""
    if format_ == "full":
        from symconv.telling.full import show_full

        show_full(report, console, wrap)
    elif format_ == "json":
        from symconv.telling.as_json import as_json

        click.echo(as_json(report))
    elif format_ == "sarif":
        from symconv.telling.sarif import as_sarif

        click.echo(as_sarif(report))
    else:
        from symconv.telling import lines

        for line in lines.concise(report) if format_ == "concise" else lines.github(report):
            click.echo(line)
        click.echo(str(report.summary()), err=True)


def _outcomes(request: Request) -> list[Outcome]:
    if request.claim is not None:
        return [_claim(request.claim, request.given)]
    jobs = [Job(path, request.given, request.source or ("markdown" if path == "-" else ""),
                _standard_input() if path == "-" else None) for path in find(request.paths)]
    if len(jobs) < 2 or not sys.stderr.isatty():
        return verify_all(jobs)
    return _with_progress(jobs, sys.stderr)


def _claim(latex: str, given: Sequence[str]) -> Outcome:
    """One formula from the command line."""
    from symconv.claims.verify import claim_findings

    try:
        return Outcome("-", latex, tuple(claim_findings(latex, given)))
    except SymconvError:
        raise
    except Exception as e:  # a defect of ours, told like those in files
        return Outcome("-", latex, (internal("-", f"{type(e).__name__}: {e}"),))


def _standard_input() -> str:
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise SymconvError(f"standard input is not UTF-8: byte {e.start}") from e
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _with_progress(jobs: Sequence[Job], stream: TextIO) -> list[Outcome]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        bar = progress.add_task("verifying", total=len(jobs))
        return verify_all(jobs, partial(progress.advance, bar))
