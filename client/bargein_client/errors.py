"""What can go wrong for a user of the client, divided by whose fault it is."""

from bargein_protocol.errors import ErrorCode, Fault


class BargeinError(Exception):
    """A session or a subscription could not be opened or did not live on."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(f"{code.code}: {detail}")
        self.code = code
        """The row of the protocol's error table; says whose fault it is and whether to retry."""
        self.detail = detail
        """What happened, for people."""


class ClientError(BargeinError):
    """This side did something wrong; the same attempt would fail again."""


class ServerError(BargeinError):
    """The server is full, restarting or broken; a later attempt may succeed."""


class NetworkError(BargeinError):
    """The server cannot be reached, or the connection broke and could not be made again."""


_BY_FAULT: dict[Fault, type[BargeinError]] = {
    "client": ClientError,
    "server": ServerError,
    "network": NetworkError,
}


def error_for(code: ErrorCode, detail: str | None = None) -> BargeinError:
    """The exception for an error code, typed by its fault."""
    return _BY_FAULT[code.fault](code, detail or code.meaning)


def error_named(name: str) -> ErrorCode:
    """The row of the table with this wire code; a fault of the server if there is none."""
    return _BY_NAME.get(name, ErrorCode.INTERNAL_ERROR)


def first_of(group: BaseExceptionGroup[Exception]) -> Exception:
    """The first error of a task group, however deep."""
    error: Exception | BaseExceptionGroup[Exception] = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


_BY_NAME = {code.code: code for code in ErrorCode}
