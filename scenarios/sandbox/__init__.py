"""A place to run code that a model wrote: no network, no files of the machine, no second process, all of it bounded.

`sandbox.py` is what the rest of the program uses. The other modules run inside, under a bare interpreter that knows
nothing but the standard library, so they import nothing else.
"""
