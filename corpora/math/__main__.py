"""Run `python -m corpora.math show N`."""

import sys

from corpora.math.show import main

if __name__ == "__main__":
    sys.exit(main())
