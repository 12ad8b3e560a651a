// GET /exchange/:currency?cents=1990: what a sum in euros is in another currency. A component of wasi:http/proxy.
//
//   200  the sum, by today's rate
//   404  the rates service knows no such currency
//   422  `cents` is no sum
//   502  it answers with what is no rate      503  it does not answer; ask again
//
// The rate comes from the service at RATES_URL, asked by `fetch`. A rate is a decimal number of at most six
// places: "1.0853".
import { getEnvironment } from 'wasi:cli/environment@0.2.10';

const MOST_CENTS = 10000000;
const PLACES = 6;
const MILLION = 10n ** BigInt(PLACES);

function json(status, type, content, more = {}) {
  const headers = { 'content-type': type, ...more };
  return new Response(`${JSON.stringify(content)}\n`, { status, headers });
}

function problem(status, title, detail, headers) {
  return json(status, 'application/problem+json', { type: 'about:blank', title, status, detail }, headers);
}

// In millionths, as a sum has to be exact; null: it is no rate.
function rateOf(text) {
  const found = /^([0-9]{1,5})(?:\.([0-9]{1,6}))?[\r\n]*$/.exec(text);
  const rate = found ? BigInt(found[1] + (found[2] ?? '').padEnd(PLACES, '0')) : 0n;
  return rate > 0n ? rate : null;
}

async function exchange(request) {
  const url = new URL(request.url);
  const currency = url.pathname.split('/').at(-1);
  if (!/^[A-Z]{3}$/.test(currency)) return problem(404, 'Not Found', 'a currency has three capital letters');
  const cents = url.searchParams.get('cents') ?? '';
  if (!/^[0-9]{1,8}$/.test(cents) || Number(cents) > MOST_CENTS) {
    return problem(422, 'Unprocessable Content', `say GET /exchange/USD?cents=1990, at most ${MOST_CENTS}`);
  }

  const { RATES_URL } = Object.fromEntries(getEnvironment());
  let response;
  try {
    response = await fetch(`${RATES_URL}/rates/EUR/${currency}`, { headers: { accept: 'text/plain' } });
  } catch (error) {
    console.error(`exchange: ${RATES_URL}: ${error.message}`);
    const detail = 'there are no exchange rates at the moment';
    return problem(503, 'Service Unavailable', detail, { 'retry-after': '10' });
  }
  if (response.status === 404) return problem(404, 'Not Found', 'there is no rate for this currency');
  const rate = response.status === 200 ? rateOf(await response.text()) : null;
  if (rate === null) return problem(502, 'Bad Gateway', 'the exchange rate cannot be read');

  return json(200, 'application/json', {
    currency,
    cents: Number((BigInt(cents) * rate + MILLION / 2n) / MILLION),
    rate: `${rate / MILLION}.${String(rate % MILLION).padStart(PLACES, '0')}`,
  });
}

addEventListener('fetch', (event) => event.respondWith(exchange(event.request)));
