"""Options between positional arguments, which Python's own parser takes only since 3.13."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def take_in_any_order(parser: argparse.ArgumentParser) -> None:
    """Have a command with several positional arguments take options before, between and after them."""
    plain, is_inside = parser.parse_known_args, False

    def mixed(arguments: Sequence[str] | None = None, namespace: Any = None) -> Any:
        nonlocal is_inside
        if is_inside:
            return plain(arguments, namespace)
        is_inside = True
        try:
            return parser.parse_known_intermixed_args(arguments, namespace)
        finally:
            is_inside = False

    parser.parse_known_args = mixed  # type: ignore[method-assign, assignment]
