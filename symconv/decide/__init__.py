"""Deciding whether two affine tensor sums are equal for all sizes."""
