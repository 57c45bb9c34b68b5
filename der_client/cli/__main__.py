"""``python -m der_client.cli``: the command line, where ``der`` is not on the path."""

from der_client.cli import main

main()
