"""The one exception that stands for a mistake of the user, not of the program."""


class DGRError(Exception):
    """A condition the user can mend: one sentence that names the offending thing and the way out.

    The command line prints it without a traceback and ends with exit status 1.
    """
