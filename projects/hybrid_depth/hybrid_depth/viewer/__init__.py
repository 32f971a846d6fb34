"""Data sets and predictions in a browser, by Rerun (optional)."""
