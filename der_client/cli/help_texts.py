"""Makes help texts readable at any width."""

from typing import Any


def tidy(command: Any) -> Any:
    """Join the lines of each paragraph of a command's help, and leave out the type of flags; return the command."""
    if command.help:
        command.help = "\n\n".join(" ".join(each.split()) for each in command.help.split("\n\n"))
    for parameter in command.params:
        if getattr(parameter, "is_bool_flag", False) and parameter.metavar is None:
            parameter.metavar = ""
    for below in getattr(command, "commands", {}).values():
        tidy(below)
    return command
