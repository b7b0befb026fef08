"""What every error and warning of Pellucid derives from."""


class PellucidError(Exception):
    """A problem the caller can act on: the message names it, what was expected, what to do."""


class PellucidWarning(UserWarning):
    """Something unusual in the data or the search that the caller may want to act on."""
