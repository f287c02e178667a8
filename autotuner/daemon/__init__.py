"""The daemon: takes jobs over a socket, runs each in a process of its own, tells what happens."""
