"""The sections of a lecture: each a function from its subject to a section, or to None where it has nothing to say."""
