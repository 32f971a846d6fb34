"""The command `hybrid-depth` as `python -m hybrid_depth`, for `torchrun -m hybrid_depth`."""

from .cli import main

if __name__ == '__main__':
    main()
