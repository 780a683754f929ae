"""Kernels read back as equations before they are printed, sharing no code with what scheduled them."""
