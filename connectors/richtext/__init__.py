"""Rich text: GitHub-flavoured Markdown is the neutral text, each dialect has one converter pair.

Every text, whatever its dialect, is read into the same small document tree (:mod:`.document`); a
dialect is a way to read that tree and a way to write it. Pure, no I/O.
"""
