"""`python -m ringnode` is `ringnode`."""

from ringnode.cli import main

main()
