"""An answer that is an error: a status, a word for programs, a sentence for people."""

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from sidecar.views import Misfit, NotAProxy, NotKept, NotScalable, Superseded, Unanswered, UnknownName

_WORDS = {404: "not_found", 405: "method_not_allowed"}
REFUSALS: dict[type[Exception], tuple[int, str]] = {
    UnknownName: (404, "unknown_name"),
    NotKept: (404, "not_kept"),
    Unanswered: (503, "unanswered"),
    NotScalable: (409, "not_scalable"),
    NotAProxy: (409, "not_a_proxy"),
    Superseded: (409, "superseded"),
    Misfit: (409, "misfit"),
}


class Problem(Exception):  # noqa: N818 - it is an answer on its way, not a fault
    """Raised anywhere below a request; becomes {"error": error, "detail": detail} with that status."""

    def __init__(self, status: int, error: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.error = error
        self.detail = detail

    def response(self) -> JSONResponse:
        """The answer itself."""
        fields = {"www-authenticate": 'Bearer realm="ecluse"'} if self.status == 401 else None
        return JSONResponse({"error": self.error, "detail": self.detail}, self.status, fields)


def of(error: Exception) -> Problem:
    """What an exception of a handler means to whoever asked."""
    match error:
        case Problem():
            return error
        case UnknownName() | NotKept() | Unanswered() | NotScalable() | NotAProxy() | Superseded() | Misfit():
            return Problem(*REFUSALS[type(error)], str(error))
        case ClientDisconnect():
            return Problem(400, "incomplete", "the request ended before it was whole")
        case HTTPException():
            return Problem(error.status_code, _WORDS.get(error.status_code, "refused"), error.detail)
        case _:
            return Problem(500, "internal", f"{type(error).__name__}: the controller's log says more")


async def answer(_request: Request, error: Exception) -> JSONResponse:
    """The exception handler for all of them."""
    return of(error).response()
