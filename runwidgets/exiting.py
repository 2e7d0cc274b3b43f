"""With which exit code this process ends, as far as Python tells."""

from __future__ import annotations

import functools
import sys
import threading
from typing import Any, NoReturn

_code: Any = None
_is_watching = False


def watch_exit_code() -> None:
    """Have `exit_code` know the code that the main thread gives to `sys.exit` from now on.

    Python tells those who clean up at its end of an exception, but of no exit code. A bare ``raise SystemExit(code)``
    stays unknown.
    """
    global _is_watching  # noqa: PLW0603 (`sys.exit` is the process's, too)
    if _is_watching:
        return
    _is_watching = True
    plain_exit = sys.exit

    @functools.wraps(plain_exit)
    def watched_exit(status: Any = None, /) -> NoReturn:
        global _code  # noqa: PLW0603
        if threading.current_thread() is threading.main_thread():  # elsewhere it ends that thread alone
            _code = status
        plain_exit(status)

    sys.exit = watched_exit


def exit_code() -> Any:
    """Give what `sys.exit` was last called with.

    Returns
    -------
    object
        None and 0 mean success; a text is one that Python prints before it fails.
    """
    return _code
