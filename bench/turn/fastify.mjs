// What a web developer would write for the same endpoint: read one row, change it, write it, in one transaction.
// node fastify.mjs PORT SOCKET_FOLDER KEYS PROCESSES POOL
import cluster from "node:cluster";
import { createRequire } from "node:module";

const [port, folder, keys, processes, pool] = process.argv.slice(2);
const { Pool, fastify } = load();

// Installed in the folder this is run from, which is not the folder of this file.
function load() {
  const require = createRequire(`${process.cwd()}/`);
  return { Pool: require("pg").Pool, fastify: require("fastify") };
}

async function turn(connections) {
  const client = await connections.connect();
  try {
    const key = Math.floor(Math.random() * Number(keys));
    await client.query("BEGIN");
    const found = await client.query({ name: "read", text: "SELECT v FROM kv WHERE k = $1", values: [key] });
    const old = found.rows[0].v;
    const value = (old[0] === "z" ? "a" : String.fromCharCode(old.charCodeAt(0) + 1)) + old.slice(1);
    await client.query({
      name: "write",
      text: "INSERT INTO kv (k, v) VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
      values: [key, value],
    });
    await client.query("COMMIT");
    return `done ${value[0]}\n`;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

if (processes > 1 && cluster.isPrimary) {
  for (let i = 0; i < processes; i++) cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
} else {
  const connections = new Pool({ host: folder, user: "bench", database: "postgres", max: Number(pool) });
  const app = fastify();
  app.post("/turn", async (request, reply) => {
    reply.type("text/plain");
    return turn(connections);
  });
  app.get("/turn", async (request, reply) => {
    reply.type("text/plain");
    return turn(connections);
  });
  await app.listen({ port: Number(port), host: "127.0.0.1" });
}
