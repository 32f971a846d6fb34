"""DDAD, and other scenes in the Dataset Governance Policy (DGP) format."""
