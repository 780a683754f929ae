"""Files and folders to outcomes: many in parallel, in the order they were named."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from symconv.claims.finding import Finding
from symconv.claims.report import Outcome
from symconv.errors import SymconvError

SUFFIXES = (".md", ".markdown", ".tex", ".ipynb", ".txt")
SKIPPED_FOLDERS = ("node_modules", "__pycache__")  # and hidden ones
# A worker takes about a second to start; below this many bytes of text one process is done sooner.
WORTH = 40_000


@dataclass(frozen=True, slots=True)
class Job:
    """One document to verify; `text` None means: read the file.

    Args:
        source: "markdown", "latex", "notebook" or "text"; "" goes by the file's name.
    """

    path: str
    given: tuple[str, ...] = ()
    source: str = ""
    text: str | None = None


Work = Callable[[Job], Outcome]


def find(paths: Sequence[str]) -> list[str]:
    """The files named, and those of the named folders, each once.

    Raises:
        SymconvError: a path does not exist, or a folder has nothing to verify.
    """
    found: dict[str, str] = {}
    for path in paths:
        if os.path.isdir(path):
            inside = list(_within(path))
            if not inside:
                raise SymconvError(f"there is no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file in {path}")
        elif path == "-" or os.path.exists(path):
            inside = [path]
        else:
            raise SymconvError(f"there is no file or folder {path}")
        for p in inside:
            found.setdefault(p if p == "-" else os.path.realpath(p), p)
    return list(found.values())


def _within(folder: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED_FOLDERS)
        yield from (os.path.join(here, n) for n in sorted(names) if n.lower().endswith(SUFFIXES))


def _refuse(e: OSError) -> None:
    raise SymconvError(f"cannot read the folder {e.filename}: {e.strerror}") from e


def verify_one(job: Job) -> Outcome:
    """One document. What symconv refuses is said in `unreadable`; a defect of ours becomes a finding."""
    text = job.text
    try:
        if text is None:
            text = read(job.path)
        from symconv.claims.verify import verify
        from symconv.notation.document import source_of

        findings = verify(text, given=job.given, source=job.source or source_of(job.path), path=job.path)
    except SymconvError as e:
        return Outcome(job.path, text or "", unreadable=str(e))
    except Exception as e:  # one document must not cost the others
        return Outcome(job.path, text or "", (internal(job.path, f"{type(e).__name__}: {e}"),))
    return Outcome(job.path, text, tuple(sorted(findings, key=lambda f: (f.line, f.column, f.part))))


def read(path: str) -> str:
    """The text of a file, line ends made one kind.

    Raises:
        SymconvError: it cannot be read, or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as e:
        raise SymconvError(f"cannot read {path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise SymconvError(f"{path} is not UTF-8: byte {e.start}") from e


def internal(path: str, what: str) -> Finding:
    """The finding that stands for a document symconv failed on."""
    return Finding(latex="", verdict="", code="SC190", severity="error", path=path,
                   message=f"internal error, please report it: {what}")


def verify_all(jobs: Sequence[Job], done: Callable[[], None] = lambda: None, work: Work = verify_one) -> list[Outcome]:
    """Every document, in order; in several processes when there is enough to do.

    Args:
        done: called after each document, for a progress bar.
        work: what is run for each, importable by name in other processes.
    """
    if len(jobs) < 2 or sum(map(_bytes, jobs)) < WORTH:
        outcomes = []
        for job in jobs:
            outcomes.append(work(job))
            done()
        return outcomes
    return in_processes(jobs, done, work)


def _bytes(job: Job) -> int:
    try:
        return len(job.text) if job.text is not None else os.path.getsize(job.path)
    except OSError:
        return 0


def in_processes(jobs: Sequence[Job], done: Callable[[], None], work: Work = verify_one) -> list[Outcome]:
    """Every document in a pool. One that ends its process takes the pool along: the rest run again, each alone."""
    outcomes: dict[int, Outcome] = {}
    with _pool(min(os.cpu_count() or 1, len(jobs))) as pool:
        futures = {pool.submit(work, job): n for n, job in enumerate(jobs)}
        try:
            for future in as_completed(futures):
                outcome = _result(future, jobs[futures[future]])
                if outcome is not None:
                    outcomes[futures[future]] = outcome
                    done()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for n in sorted(set(range(len(jobs))) - set(outcomes)):
        with _pool(1) as alone:
            outcome = _result(alone.submit(work, jobs[n]), jobs[n])
        outcomes[n] = outcome or Outcome(jobs[n].path, findings=(internal(jobs[n].path, "the process ended"),))
        done()
    return [outcomes[n] for n in range(len(jobs))]


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, not forked: a fork copies the locks of running threads, the progress bar's among them.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _result(future: Future[Outcome], job: Job) -> Outcome | None:
    """The outcome of a finished job; None when its process died."""
    try:
        return future.result()
    except BrokenProcessPool:
        return None
    except Exception as e:  # such as an outcome that cannot be pickled
        return Outcome(job.path, findings=(internal(job.path, f"{type(e).__name__}: {e}"),))
