import axios from "axios";
import { Agent } from "node:http";

export function client(url) {
  const instance = axios.create({
    baseURL: url, timeout: 30_000, auth: { username: "key", password: "secret" }, headers: { "X-Environment": "Production" },
    httpAgent: new Agent({ keepAlive: true }),
  });
  return { exchange: async () => (await instance.post("/v1/auth")).data.data };
}
