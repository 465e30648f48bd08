"""`python -m pefomed` is the command `pefomed`."""

from pefomed.cli import main

if __name__ == "__main__":
    main()
