"""Where displays appear: in the front end of a notebook, or nowhere."""

from __future__ import annotations


def has_front_end() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
