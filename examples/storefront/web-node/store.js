// The shop's database.
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { Database } = require('node-sqlite3-wasm');

const database = new Database(process.env.SHOP_DB ?? join(__dirname, 'shop.db'));
database.exec(readFileSync(join(__dirname, '../schema.sql'), 'utf8'));

exports.products = () => database.all('SELECT * FROM products ORDER BY name');
exports.product = (sku) => database.get('SELECT * FROM products WHERE sku = ?', [sku]);
exports.ordersOf = (customer) =>
  Number(database.get('SELECT count(*) AS count FROM orders WHERE customer = ?', [customer]).count);

// The order and the event that tells of it, in one transaction.
exports.addOrder = ({ customer, country, total_cents, ...rest }) => {
  database.exec('BEGIN');
  try {
    const { lastInsertRowid } = database.run(
      'INSERT INTO orders (customer, country, total_cents, quote) VALUES (?, ?, ?, ?)',
      [customer, country, total_cents, JSON.stringify(rest)],
    );
    const order = Number(lastInsertRowid);
    database.run('INSERT INTO outbox (data) VALUES (?)', [JSON.stringify({ order, customer, total_cents })]);
    database.exec('COMMIT');
    return order;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
};
exports.untold = () => database.all('SELECT id, data FROM outbox WHERE refused IS NULL ORDER BY id LIMIT 100');
exports.setAside = (event, why) => database.run('UPDATE outbox SET refused = ? WHERE id = ?', [why, event]);
exports.told = (event) => database.run('DELETE FROM outbox WHERE id = ?', [event]);
exports.addNotice = (event, data) => database.run('INSERT OR IGNORE INTO notices VALUES (?, ?)', [event, data]);
exports.notices = () => database.all('SELECT data FROM notices ORDER BY event').map(({ data }) => JSON.parse(data));
exports.close = () => database.close();
