CREATE TABLE IF NOT EXISTS products (
  sku TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, price_cents INTEGER NOT NULL, tax_class TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
  id INTEGER PRIMARY KEY, customer TEXT NOT NULL, country TEXT NOT NULL, total_cents INTEGER NOT NULL, quote TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_of ON orders (customer);
-- Events that nobody has been told of yet: written in the order's transaction. `refused`: why one never can be. An id is an
-- idempotency key, and never comes again, as it would without AUTOINCREMENT once its row is gone.
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, data TEXT NOT NULL, refused TEXT);
-- What the WebHook was sent: an event may come twice.
CREATE TABLE IF NOT EXISTS notices (event TEXT PRIMARY KEY, data TEXT NOT NULL);
INSERT OR IGNORE INTO products VALUES
  ('lamp-brass', 'Brass desk lamp', 'Adjustable arm, warm light, dimmer in the base', 6900, 'standard'),
  ('note-a5-dot', 'Dotted notebook A5', '160 numbered pages that lie flat, sewn binding', 1590, 'standard'),
  ('pen-fountain-f', 'Fountain pen, fine nib', 'Steel nib, converter included, takes any ink', 3900, 'standard'),
  ('book-wasm', 'A Field Guide to WebAssembly', 'Stack machines, linear memory and what they are good for', 3450, 'book'),
  ('mug-stone', 'Stoneware mug', 'Glazed inside, raw outside, 350 ml', 1690, 'standard');
