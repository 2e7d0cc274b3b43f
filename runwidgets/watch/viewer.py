"""Whom widgets are made for: in a kernel nobody in particular, in a server that shows pages one of those.

What a display does later and on other threads is done for the same viewer as what made it.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from runwidgets.addressing import page_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_P = ParamSpec("_P")
_T = TypeVar("_T")
_viewer: Final[ContextVar[Any]] = ContextVar("runwidgets_viewer", default=None)


def current_viewer() -> Any:
    """Give whom widgets are made for here; None for nobody in particular."""
    return _viewer.get()


def link(*names: str) -> str | None:
    """Give where the page of something is, for a viewer who goes from page to page; None for others.

    Parameters
    ----------
    *names
        The parts of its path, such as ``("w", "lab", "runs", run_id)``.
    """
    viewer = _viewer.get()
    return None if viewer is None else str(viewer.base + page_path(*names))


@contextmanager
def made_for(viewer: Any) -> Iterator[None]:
    """Make widgets for a viewer within the block."""
    token = _viewer.set(viewer)
    try:
        yield
    finally:
        _viewer.reset(token)


def for_this_viewer(action: Callable[_P, _T]) -> Callable[_P, _T]:
    """Give an action that is done for whom widgets are made here, wherever it is done."""
    viewer = _viewer.get()
    if viewer is None:
        return action

    @wraps(action)
    def done(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with made_for(viewer):
            return action(*args, **kwargs)

    return done
