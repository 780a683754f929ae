"""Mutants of true convolution formulas, written as authors write them, with truths by enumeration.

`python -m tests.mutants --count 5000 --seed 1` compares every verdict of `symconv verify` with brute force.
Only `runner` imports symconv: what is true is found without it.
"""
