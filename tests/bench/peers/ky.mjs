import ky from "ky";

export function client(url) {
  const instance = ky.create({
    timeout: 30_000, headers: { Authorization: `Basic ${btoa("key:secret")}`, "X-Environment": "Production" },
  });
  return { exchange: async () => (await instance.post(`${url}/v1/auth`).json()).data };
}
