"""What a detector owes to its depth: tests with true depth in some cells."""
