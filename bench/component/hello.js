import { Fields, OutgoingBody, OutgoingResponse, ResponseOutparam } from 'wasi:http/types@0.2.12';

export const incomingHandler = {
  handle(request, outparam) {
    const name = new URLSearchParams ? (request.pathWithQuery() ?? '/').split('name=')[1] ?? 'world' : 'world';
    const headers = Fields.fromList([['content-type', new TextEncoder().encode('text/plain')]]);
    const response = new OutgoingResponse(headers);
    const body = response.body();
    ResponseOutparam.set(outparam, { tag: 'ok', val: response });
    const stream = body.write();
    stream.blockingWriteAndFlush(new TextEncoder().encode(`Hello, ${name}!\n`));
    stream[Symbol.dispose]();
    OutgoingBody.finish(body, undefined);
  },
};
