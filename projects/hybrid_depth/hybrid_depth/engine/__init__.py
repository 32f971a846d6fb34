"""Config handling, mixed precision and hooks of training."""
