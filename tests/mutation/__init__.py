"""Mutants of symconv itself: is a wrong calculus, schedule or printer noticed, and by whom?"""
