"""``python -m pellucid.cli``, for where the command is not on the path."""

from pellucid.cli.app import main

main()
