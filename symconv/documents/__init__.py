"""Readers of documents: where the formulas stand, in which words, with which macros and directives."""
