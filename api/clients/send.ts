// Sends one text by the client that openapi-typescript makes, and waits until it is delivered.
import createClient from "openapi-fetch";
import type { components, paths } from "./made/schema.js";

const { API, KEY } = process.env;
if (!API || !KEY) throw new Error("API and KEY are needed");

const api = createClient<paths>({ baseUrl: API, headers: { Authorization: `Bearer ${KEY}` } });
const message: components["schemas"]["NewMessage"] = {
  to: "+12025550145",
  class: "transactional",
  body: "Your code is 418",
};

const pools = await api.GET("/v1/pools", { params: { query: { limit: 1 } } });
const pool = pools.data?.data[0]?.id;
if (!pool) throw new Error(`no pool: ${JSON.stringify(pools.error)}`);

const sent = await api.POST("/v1/messages", { body: { ...message, pool } });
if (!sent.data) throw new Error(`not sent: ${sent.error.detail}`);

const refused = await api.POST("/v1/messages", { body: { ...message, to: "nobody" } });
if (refused.error?.errors[0]?.code !== "invalid_number") throw new Error("a wrong number was taken");

const { id } = sent.data;
for (const started = Date.now(); ; ) {
  const shown = await api.GET("/v1/messages/{id}", { params: { path: { id } } });
  if (shown.data?.status === "delivered") break;
  if (Date.now() - started > 30_000) throw new Error(`after 30 s: ${shown.data?.sentence}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
console.log(`TypeScript: ${id} was delivered`);
