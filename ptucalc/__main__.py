"""`python -m ptucalc`."""

from ptucalc.cli import main

main()
