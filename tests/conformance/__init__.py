"""What a Stacks node and its API answer, as cases that can be run against any node's URL: see README.md."""
