"""The exceptions of bad input: one line that says what was given, what was expected and what to change."""


class InputError(ValueError):
    """Something the user gave cannot be used; the command line prints it as one line and exits with 2."""


class SpecError(InputError):
    """An instance specification that cannot exist."""


class InstanceError(InputError):
    """Arrays that are not a matching LP."""


class ProblemError(InputError):
    """A statement over tables, or tables under it, that make no LP."""
