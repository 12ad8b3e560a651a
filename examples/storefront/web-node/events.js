// Tells a Carrel server of orders: what the database's outbox holds, at least once and in order. An event that the server
// refuses for what it is would be refused again: it is set aside, and the next one is told.
'use strict';
const store = require('./store');

const url = process.env.CARREL_EVENTS; // such as http://127.0.0.1:3002; without it, events wait

const hopeless = [400, 413, 422];

// Why the server never takes it; nothing: it has it.
async function emit({ id, data }) {
  const answer = await fetch(`${url}/v1/hooks/order.created:emit`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${process.env.CARREL_TOKEN}`,
      'content-type': 'application/json',
      'idempotency-key': `order-${id}`,
    },
    body: data,
    signal: AbortSignal.timeout(5000),
  });
  if (hopeless.includes(answer.status)) return answer.text();
  if (!answer.ok) throw new Error(`the server answered ${answer.status}: ${await answer.text()}`);
}

// Returns what stops it.
exports.tellForEver = (log) => {
  let busy = false;
  const timer = setInterval(async () => {
    if (busy || !url) return;
    busy = true;
    try {
      for (const event of store.untold()) {
        const refused = await emit(event);
        if (refused === undefined) {
          store.told(event.id);
        } else {
          store.setAside(event.id, refused);
          log.error(`event ${event.id} is refused: ${refused}`);
        }
      }
    } catch (error) {
      log.warn(`events wait: ${error.message}`);
    }
    busy = false;
  }, 200);
  return () => clearInterval(timer);
};
