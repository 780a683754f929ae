"""Findings told to people and to tools: full, concise, json, sarif, github."""
