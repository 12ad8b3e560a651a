// The storefront in Node: Fastify, SQLite, and customers' modules in this process.
//
//     npm install && PORT=8000 npm start
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { CarrelError } = require('carrel');
const { BadSignature, Ids, Replayed, Verifier } = require('carrel/webhook');
const web = require('fastify')({ logger: { level: 'warn' } });
const events = require('./events');
const points = require('./points');
const store = require('./store');

const wanted = {
  type: 'object',
  required: ['customer', 'country', 'items'],
  properties: {
    customer: { type: 'string', minLength: 1, maxLength: 64 },
    country: { type: 'string', pattern: '^[A-Z]{2}$' },
    shipping: { type: 'string' },
    items: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      items: {
        type: 'object',
        required: ['sku', 'quantity'],
        properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1, maximum: 1000 } },
      },
    },
  },
};

web.setErrorHandler((error, request, reply) => {
  if (error instanceof points.Refused) return reply.code(422).send({ reasons: error.reasons });
  if (error.validation) return reply.code(422).send({ reasons: [error.message] });
  if (error instanceof CarrelError)
    return reply.code(503).send({ reasons: [`the shop cannot say now: ${error.code}`] });
  throw error;
});

const escaped = (text) =>
  text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
const euro = (cents) => `${(Number(cents) / 100).toFixed(2)} €`;

function page(reply, title, body) {
  const head = `<meta charset=utf-8><title>${escaped(title)}</title><link rel=stylesheet href=/shop.css>`;
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', "default-src 'self'; script-src 'none'")
    .send(`<!doctype html><html lang=en><head>${head}</head><body>${body}</body></html>`);
}

const style = readFileSync(join(__dirname, '../shop.css'));
web.get('/shop.css', (request, reply) => reply.type('text/css').send(style));

web.get('/', (request, reply) => {
  const rows = store.products().map(
    ({ sku, name, price_cents }) => `<li><a href='/products/${sku}'>${escaped(name)}</a> ${euro(price_cents)}`,
  );
  return page(reply, 'Desk supplies', `<h1>Desk supplies</h1><ul>${rows.join('')}</ul>`);
});

web.get('/products/:sku', async (request, reply) => {
  const product = store.product(request.params.sku);
  if (!product) return reply.code(404).send({ reasons: ['there is no such product'] });
  const theirs = (await points.fragments({ ...product, price_cents: Number(product.price_cents) }))
    .map((html) => `<section class=theirs>${html}</section>`)
    .join('');
  const { name, description, price_cents } = product;
  const own = `<h1>${escaped(name)}</h1><p>${escaped(description)}<p class=price>${euro(price_cents)}</p>`;
  return page(reply, name, own + theirs);
});

web.post('/quote', { schema: { body: wanted } }, ({ body }) => points.quote(body, body.shipping));

web.post('/orders', { schema: { body: wanted } }, async ({ body }, reply) => {
  await points.check(body);
  const made = await points.quote(body, body.shipping);
  return reply.code(201).send({ order: store.addOrder(made), total_cents: made.total_cents });
});

// The same event as a WebHook: the signature is over the bytes as they came.
const key = process.env.BACK_OFFICE_KEY;
const verifier = key ? new Verifier([key], { ids: new Ids() }) : undefined;
web.register(async (scope) => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => done(null, body));
  scope.post('/webhooks/order-created', (request, reply) => {
    try {
      if (!verifier) throw new BadSignature('no key is set');
      const event = verifier.verify(request.headers, request.body);
      store.addNotice(event, JSON.stringify(JSON.parse(request.body).data));
      verifier.done(event);
    } catch (error) {
      if (error instanceof Replayed) return reply.code(204).send();
      if (error instanceof BadSignature) return reply.code(401).send();
      throw error;
    }
    return reply.code(204).send();
  });
});
web.get('/notices', () => store.notices());

const stop = events.tellForEver(web.log);
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    stop();
    await web.close();
    points.close();
    store.close();
  });
}
web.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 8000) });
