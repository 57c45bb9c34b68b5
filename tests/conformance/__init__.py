"""The responses of a Stacks node and its API, as cases that can be run against any node's URL: see README.md."""
