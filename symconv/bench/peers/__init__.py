"""Those to compare with, one room each. None is a dependency: one that is not installed is named and skipped."""
