// The shop's hook points: customers' modules, called in this process.
'use strict';
const { join } = require('node:path');
const carrel = require('carrel');
const store = require('./store');

const app = carrel.openSync(process.env.SHOP_POINTS ?? join(__dirname, '..'));

// What a discount may know of a customer, and no more.
const schema = { type: 'object', required: ['customer'] };
app.provide('customer.orders', ({ customer }) => ({ count: store.ordersOf(customer) }), { schema, timeout: 50 });

class Refused extends Error {
  constructor(reasons) {
    super(reasons.join('; '));
    this.reasons = reasons;
  }
}

// The cart as the points take it, with the shop's own prices.
function cartOf({ customer, country, items }) {
  const priced = items.map((item) => {
    const product = store.product(item.sku);
    if (!product) throw new Refused([`there is no ${item.sku}`]);
    return { ...item, price_cents: Number(product.price_cents), tax_class: product.tax_class };
  });
  const total_cents = priced.reduce((sum, item) => sum + item.quantity * item.price_cents, 0);
  return { customer, country, items: priced, total_cents };
}

// What the cart costs, with what customers' modules have to say.
async function quote(wanted, shipping) {
  const cart = cartOf(wanted);
  const discounts = await app.call('cart.discounts', cart);
  const options = (await app.call('shipping.options', cart)).flat();
  const chosen = options.find(({ id }) => id === shipping) ?? options[0] ?? null;
  const lines = cart.items.map(({ tax_class }) => ({ country: cart.country, tax_class }));
  const rates = app.callSync('tax.rate', lines); // a few microseconds: not worth a thread's while
  const off = Math.min(discounts.reduce((sum, { cents }) => sum + cents, 0), cart.total_cents);
  const net = cart.total_cents - off;
  const part = cart.total_cents > 0 ? net / cart.total_cents : 0;
  const tax_cents = Math.round(
    cart.items.reduce((sum, item, i) => sum + (item.quantity * item.price_cents * part * rates[i]) / 10_000, 0),
  );
  const total_cents = net + tax_cents + (chosen?.cents ?? 0);
  return { ...cart, discounts, shipping: options, chosen, tax_cents, goods_cents: cart.total_cents, total_cents };
}

// Throws Refused with every reason that a module has.
async function check(wanted) {
  const verdict = await app.call('checkout.validate', cartOf(wanted));
  if (!verdict.allow) throw new Refused(verdict.denials.map(({ reason }) => reason));
}

// What customers add to a product's page: HTML that the point has cleaned.
const fragments = async (product) => (await app.call('product.page', product)).map(({ html }) => html);

module.exports = { Refused, quote, check, fragments, close: () => app.close() };
