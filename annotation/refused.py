"""What every part raises when it cannot do what a person asked."""

from rest_framework.exceptions import APIException


class Refused(APIException):
    """A request that cannot be done as asked; nothing was changed.

    Args:
        code: a stable word that the front end can act on.
        message: what happened and what was kept, for a person.
        field: the field at fault, when there is one.
        fix: what to do.
    """

    def __init__(
        self, code: str, message: str, *, field: str = "", fix: str = "", status_code: int = 400
    ) -> None:
        super().__init__(message, code)
        self.status_code = status_code
        self.code, self.message, self.field, self.fix = code, message, field, fix
