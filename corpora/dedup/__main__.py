"""Run `python -m corpora.dedup show ID`."""

import sys

from corpora.dedup.show import main

if __name__ == "__main__":
    sys.exit(main())
