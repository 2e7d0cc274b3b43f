"""A run live in a terminal: `watch` follows one to its end, `LiveView` goes around the code that trains.

    with LiveView(run), run:
        train(run)

Drawn with rich, which comes with the extra ``runwidgets[terminal]``.
"""

from runwidgets.errors import MissingDependencyError

try:
    import rich as _  # noqa: F401 (asked for here, so that its absence is told once and well)
except ImportError as error:
    raise MissingDependencyError(
        'the display in a terminal is drawn with rich, which is not installed: pip install "runwidgets[terminal]"'
    ) from error

from runwidgets.terminal.live import LiveView, watch
from runwidgets.terminal.picture import Picture

__all__ = ["LiveView", "Picture", "watch"]
