"""Numbers among the arguments of commands: what is none is told in plain words."""

from __future__ import annotations

import argparse
import sys


def whole(text: str) -> int:
    """Give a whole number.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none, or one of more digits than any amount has.
    """
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number, such as 3") from None
    if abs(number) > sys.maxsize // 2:
        raise argparse.ArgumentTypeError(f"{text!r} is too large")
    return number


def seconds(text: str) -> float:
    """Give a number of seconds above 0.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0, such as 90 or 0.5")
    return number
