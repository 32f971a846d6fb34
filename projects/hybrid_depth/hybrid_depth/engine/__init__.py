"""Config handling, model files, mixed precision and training hooks."""
