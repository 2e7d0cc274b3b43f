"""``runwidgets portal``: the pages of all runs in the browser, on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.commands.exits import DONE

if TYPE_CHECKING:
    import argparse

_IDLE_SECONDS: Final = 3600.0


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``portal``."""
    parser = commands.add_parser(
        "portal",
        help="show all runs in the browser",
        description="Serve the portal on this machine: all workspaces, experiments and runs in the browser, live.",
        epilog="Options of Jupyter Server follow `--`: runwidgets portal -- --ServerApp.certfile=FILE",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=int, help="by default 8790, or the next that is free")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.add_argument("--ticket", action="store_true", help="print a link that lets a browser in, and end")
    parser.add_argument("--background", action="store_true", help="end after an hour without a visitor")
    parser.add_argument("options", nargs="*", metavar="-- OPTION", help="of Jupyter Server")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.ticket:
        from runwidgets.addressing import portal_url

        print(portal_url("/"))  # noqa: T201
        return DONE
    from runwidgets.portal.standalone import PortalApp

    options = list(arguments.options)
    if arguments.port is not None:
        options.append(f"--ServerApp.port={arguments.port}")
    if arguments.open:
        options.append("--ServerApp.open_browser=True")
    if arguments.background:
        options += [f"--PortalApp.idle_seconds={_IDLE_SECONDS}", "--PortalApp.in_background=True"]
    PortalApp.launch_instance(options)
    return DONE
