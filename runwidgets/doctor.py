"""``runwidgets doctor``: whether what is kept is sound, and mending it where it is not.

Looking changes nothing, and holds nobody back who logs. A repair makes a backup before it changes anything, says what
it did, and does not touch what another process is writing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.commands.troubles import in_words
from runwidgets.configuration import DESCRIPTION
from runwidgets.errors import StoreError, WorkspaceNotFoundError
from runwidgets.home import home

if TYPE_CHECKING:
    import argparse

    from runwidgets.store.health.findings import Finding

HEALTHY: Final = 0
FINDINGS: Final = 1
COULD_NOT_LOOK: Final = 2
_SIGNS: Final = (DESCRIPTION, "runs.sqlite", "journals", "artifacts")
_MOST_ALIKE: Final = 20


class Report(msgspec.Struct, kw_only=True):
    """What was found in one workspace, or beside all of them, and what was done.

    Attributes
    ----------
    workspace
        Its name; None for the folder in which all lie.
    folder
        Where it lies.
    findings
        What was wrong.
    left
        What is wrong still: the same, unless something was mended.
    mended
        What a repair did, in words.
    backup
        Where what was there before lies.
    writers
        The processes that log there just now.
    run_count
        How many runs there are.
    trouble
        Why it could not be looked at, or not be mended.
    """

    workspace: str | None
    folder: Path
    findings: list[Finding] = []
    left: list[Finding] = []
    mended: list[str] = []
    backup: Path | None = None
    writers: list[str] = []
    run_count: int = 0
    trouble: str | None = None


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``doctor``."""
    parser = commands.add_parser(
        "doctor",
        help="look whether what is kept is sound, and mend it",
        description="Look whether the runs that are kept on this machine are sound: databases, journals, rows of "
        "metrics, files.",
        epilog="Exit code: 0 where all is well, 1 where something is wrong (still), 2 where it could not be looked at.",
        allow_abbrev=False,
    )
    parser.add_argument("--repair", action="store_true", help="mend what can be mended, after a backup")
    parser.add_argument("--workspace", metavar="NAME", help="only this workspace; by default all")
    parser.add_argument("--home", metavar="DIR", type=Path, help="where they lie; by default RUNWIDGETS_HOME says")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = (arguments.home or home()).expanduser().absolute()
    reports = look(root, arguments.workspace, repair=arguments.repair)
    print(_json(root, reports) if arguments.json else _text(root, reports, repair=arguments.repair))
    if any(report.trouble for report in reports):
        return COULD_NOT_LOOK
    return FINDINGS if any(report.left for report in reports) else HEALTHY


def workspaces_in(root: Path) -> list[str]:
    """Name the folders that are workspaces, or what is left of one.

    Raises
    ------
    StoreError
        If the folder cannot be read, or is not there.
    """
    try:
        return sorted(
            place.name
            for place in root.iterdir()
            if not place.name.startswith(".") and place.is_dir() and any((place / sign).exists() for sign in _SIGNS)
        )
    except FileNotFoundError as error:
        raise StoreError(
            f"{root} could not be looked at: there is no such folder. If that is where runs are kept, nothing was "
            "logged yet; if not, give --home or set RUNWIDGETS_HOME"
        ) from error
    except OSError as error:
        raise StoreError(f"the folder of all workspaces cannot be read: {in_words(error)}") from error


def look(root: Path, name: str | None = None, *, repair: bool = False) -> list[Report]:
    """Look at workspaces, and mend them.

    Parameters
    ----------
    root
        The folder in which they lie.
    name
        Only the workspace of this name, by default all.
    repair
        Whether to mend what can be mended.

    Raises
    ------
    WorkspaceNotFoundError
        If there is no workspace of that name.
    StoreError
        If the folder cannot be read, or is not there.
    """
    names = workspaces_in(root)
    if name is not None and name not in names:
        there = ", ".join(names) or "none"
        raise WorkspaceNotFoundError(f"there is no workspace {name!r} in {root}; those there are: {there}")
    reports = [_report(root / one, repair=repair) for one in ([name] if name is not None else names)]
    beside = _beside(root, repair=repair) if name is None else None
    return [*reports, beside] if beside is not None else reports


def _report(folder: Path, *, repair: bool) -> Report:
    from runwidgets.store.health.checking import examine
    from runwidgets.store.health.mending import mend

    report = Report(workspace=folder.name, folder=folder)
    try:
        found = examine(folder)
        report.findings, report.left = found.findings, found.findings
        report.writers, report.run_count = found.writers, found.run_count
        if repair and found.findings:
            mended = mend(folder, found)
            report.mended, report.backup, report.trouble = mended.deeds, mended.backup, mended.trouble
            report.left, report.writers = mended.after.findings, mended.after.writers
            report.run_count = mended.after.run_count
    except StoreError as error:
        report.trouble = str(error)
    return report


def _beside(root: Path, *, repair: bool) -> Report | None:
    """Look at what lies beside the workspaces; None where that is nothing."""
    from runwidgets.store.health.files import check_deleted
    from runwidgets.store.health.mending import delete_leftover

    findings = check_deleted(root)
    if not findings:
        return None
    mended = [delete_leftover(finding) for finding in findings] if repair else []
    return Report(
        workspace=None, folder=root, findings=findings, left=check_deleted(root) if repair else findings, mended=mended
    )


# ---- what is printed


def _json(root: Path, reports: list[Report]) -> str:
    return json.dumps({"home": str(root), "reports": [_plain(report) for report in reports]}, indent=2)


def _plain(report: Report) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(report, enc_hook=str)
    for finding in (*plain["findings"], *plain["left"]):
        del finding["place"]
    return plain


def _text(root: Path, reports: list[Report], *, repair: bool) -> str:
    lines = [line for report in reports for line in _lines(report, repair=repair)]
    return "\n".join([*lines, _summary(root, reports, repair=repair)])


def _lines(report: Report, *, repair: bool) -> list[str]:
    from runwidgets.store.health.findings import counted

    head = f"workspace {report.workspace}" if report.workspace is not None else "beside the workspaces"
    facts = [counted(report.run_count, "run")] if report.workspace is not None and not report.trouble else []
    facts += [f"{writer} is logging" for writer in report.writers]
    lines = [f"{head} ({report.folder}): {'; '.join([*facts, *_verdict(report)])}"]
    if report.mended:
        lines += ["", "  mended:", *(f"    {deed}" for deed in report.mended)]
    if report.backup is not None:
        lines += ["", f"  what was there before is in {report.backup}"]
    if report.trouble:
        lines += ["", f"  {report.trouble}"]
    if report.mended and report.left:
        lines += ["", "  left:"]
    shown: dict[str, int] = {}
    for finding in report.left:
        shown[finding.trouble] = shown.get(finding.trouble, 0) + 1
        if shown[finding.trouble] <= _MOST_ALIKE:
            lines += ["", *_finding_lines(finding, report, repair=repair)]
    lines += [f"\n  … and {count - _MOST_ALIKE:,} more of this kind: {trouble}"
              for trouble, count in shown.items() if count > _MOST_ALIKE]  # fmt: skip
    return [*lines, ""] if len(lines) > 1 else lines


def _verdict(report: Report) -> list[str]:
    if report.trouble:
        return ["could not be looked at" if not report.findings else "could not be mended"]
    return [] if report.left else ["all is well" if not report.mended else "all is well now"]


def _finding_lines(finding: Finding, report: Report, *, repair: bool) -> list[str]:
    lines = [f"  {finding.severity:<8} {finding.where}", f"           {finding.what}"]
    if finding.mend is None:
        lines.append("           no repair can mend this")
    elif not repair:
        lines.append(f"           repair: {finding.mend}")
    elif report.writers and not finding.is_harmless:
        lines.append(f"           not mended while others log here ({', '.join(report.writers)}): end them first")
    else:
        lines.append("           could not be mended")
    return lines


def _summary(root: Path, reports: list[Report], *, repair: bool) -> str:
    from runwidgets.store.health.findings import counted

    if not reports:
        return f"there is no workspace in {root}"
    left = [finding for report in reports for finding in report.left]
    if not left:
        return "" if any(report.trouble for report in reports) else "nothing is wrong"
    can = sum(finding.mend is not None for finding in left)
    text = f"{counted(len(left), 'thing')} wrong"
    if not repair and can:
        text += f"; `runwidgets doctor --repair` mends {can:,} of them, after a backup"
    return text
