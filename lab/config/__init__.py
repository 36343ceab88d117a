"""config.xml of pfSense 2.7.0 as a file: its text rules, reading, changing, checking, comparing. Knows no topology.

What a guest needs too (`text`, `tree`, `write`) uses the standard library alone, and so does the rest.
"""
