\set k random(0, :keys - 1)
BEGIN;
SELECT v FROM kv WHERE k = :k;
INSERT INTO kv (k, v) VALUES (:k, repeat('b', 100)) ON CONFLICT (k) DO UPDATE SET v = excluded.v;
COMMIT;
