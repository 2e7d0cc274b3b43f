"""``python -m runwidgets``: the same as the command ``runwidgets``."""

import sys

from runwidgets.cli import main

if __name__ == "__main__":
    sys.exit(main())
