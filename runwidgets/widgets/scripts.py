"""The panels' JavaScript and stylesheet, brought once for each display."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget
import ipywidgets

from runwidgets.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATIC: Final = Path(__file__).parent.parent / "static"
_BUILD: Final = "__RUNWIDGETS_BUILD__"
_NAME: Final = "__RUNWIDGETS_PART__"


def _built(name: str) -> str:
    """Read a built file.

    Raises
    ------
    StoreError
        If the browser's side was not built: a checkout that was never installed.
    """
    try:
        return (_STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StoreError(
            f"{_STATIC / name} is missing: the JavaScript of this checkout is not built. "
            "Run `pip install -e .` in it (that needs Node.js)"
        ) from None


_text = _built("panels.js")
_part = _built("part.js")
_build = hashlib.sha256(_text.encode()).hexdigest()[:16]


def part(name: str) -> str:
    """Give the module of a panel: a few lines that take the panel from what `Scripts` brings, when it is there.

    Parameters
    ----------
    name
        That of its module in ``js/src``.
    """
    return _part.replace(_BUILD, _build).replace(_NAME, name)


class Scripts(anywidget.AnyWidget):
    """What the panels of a display need in the browser. It shows nothing, and is the first of what a display makes."""

    _esm = _text.replace(_BUILD, _build)
    _css = _built("runwidgets.css")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(layout=ipywidgets.Layout(display="none"), **kwargs)

    def close(self) -> None:
        """Close it, and its layout."""
        layout = self.layout
        super().close()
        layout.close()


_are_there: Final[ContextVar[bool]] = ContextVar("runwidgets_scripts_are_there", default=False)


@contextmanager
def inside_display() -> Iterator[None]:
    """Make displays within the block that stand inside of another one, which has brought its scripts."""
    token = _are_there.set(True)
    try:
        yield
    finally:
        _are_there.reset(token)


def scripts() -> tuple[Scripts, ...]:
    """Make what a display has to bring, if it stands in no other."""
    return () if _are_there.get() else (Scripts(),)
