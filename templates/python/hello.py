"""Answers HTTP requests as a component of wasi:http/proxy."""

from urllib.parse import parse_qs, urlsplit

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import environment
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    Method_Post,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

PIECE = 65536


def read_body(request: IncomingRequest) -> str:
    """The whole body of a request."""
    text = b""
    with request.consume() as body, body.stream() as stream:
        while True:
            try:
                text += stream.blocking_read(PIECE)
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    return text.decode()
                raise


def reply(outparam: ResponseOutparam, text: str) -> None:
    response = OutgoingResponse(Fields.from_list([("content-type", b"text/plain; charset=utf-8")]))
    body = response.body()
    ResponseOutparam.set(outparam, Ok(response))
    data = text.encode()
    with body.write() as stream:
        for at in range(0, len(data), 4096):
            stream.blocking_write_and_flush(data[at : at + 4096])
    OutgoingBody.finish(body, None)


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        greeting = dict(environment.get_environment()).get("GREETING", "Hello")
        posted = read_body(request).strip() if isinstance(request.method(), Method_Post) else ""
        query = parse_qs(urlsplit(request.path_with_query() or "/").query)
        name = posted or query.get("name", ["world"])[0]
        reply(response_out, f"{greeting}, {name}!\n")
