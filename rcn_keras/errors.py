"""The one exception for bad input: its text is the line that the user reads."""


class InputError(ValueError):
    """A file, folder or argument that cannot be used; the message names it and why, in
    one line whatever is quoted in it."""

    def __init__(self, message: str):
        super().__init__(" ".join(message.splitlines()))
