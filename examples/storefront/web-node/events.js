// Tells a Carrel server of orders: what the database's outbox holds, at least once and in order.
'use strict';
const store = require('./store');

const url = process.env.CARREL_EVENTS; // such as http://127.0.0.1:3002; without it, events wait

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
        await emit(event);
        store.told(event.id);
      }
    } catch (error) {
      log.warn(`events wait: ${error.message}`);
    }
    busy = false;
  }, 200);
  return () => clearInterval(timer);
};
