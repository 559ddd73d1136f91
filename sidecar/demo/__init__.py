"""`make demo`: Écluse before the example application, under a load that rises and falls, and what becomes of it.

The program under test runs as users run it, in a process of its own; what is shown is read from its admin API and from the
answers that the load generator got. Nothing here is used by the program itself.
"""
