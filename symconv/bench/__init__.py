"""Measuring kernels beside those of others, after comparing what they compute."""
