"""Formulas people wrote, read and decided."""
