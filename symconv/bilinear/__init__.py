"""Fewer multiplications: bilinear algorithms for the short correlations inside an affine tensor sum."""
