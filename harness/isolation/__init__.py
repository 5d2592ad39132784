"""Cases in processes of their own, under limits.

A server process has loaded the libraries that are slow to load, and started nothing. It forks a process that makes an
instance and holds it; that one forks a child for each case on it, which finds the instance in its own memory, shared
until somebody writes. Nothing of a case outlives its child: each server ends what the child leaves.

    harness (isolated.py) -- server (__main__.py) -- holder of an instance (child.py) -- child of a case (child.py)

Server and holder both fork by server.py. messages.py says what they are asked, wire.py how a message travels.
"""
