"""`python -m hybrid_depth`, which `torchrun -m hybrid_depth` needs: the command `hybrid-depth`."""

from .cli import main

if __name__ == '__main__':
    main()
