"""Each path of the workflow: the real file in an interpreter, the real functions behind it."""
