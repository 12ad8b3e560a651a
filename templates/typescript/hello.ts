// Answers HTTP requests as a component of wasi:http/proxy, which the engine inside shows as events.
import { getEnvironment } from 'wasi:cli/environment@0.2.10';

async function hello(request: Request): Promise<Response> {
  const { GREETING = 'Hello' } = Object.fromEntries(getEnvironment());
  const asked = new URL(request.url).searchParams.get('name') ?? 'world';
  const who = request.method === 'POST' ? (await request.text()).trim() : asked;
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return new Response(`${GREETING}, ${who}!\n`, { headers });
}

addEventListener('fetch', (event) => event.respondWith(hello(event.request)));
