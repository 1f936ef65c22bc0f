"""``python -m dgr``."""

from dgr.cli import main

if __name__ == "__main__":
    main()
