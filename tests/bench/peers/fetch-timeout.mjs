// By hand, with the deadline that a call over a network needs.
export function client(url) {
  const authorization = `Basic ${btoa("key:secret")}`;
  return {
    async exchange() {
      const response = await fetch(`${url}/v1/auth`, {
        method: "POST", headers: { Authorization: authorization, "X-Environment": "Production" }, signal: AbortSignal.timeout(30_000),
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const { data } = await response.json();
      return data;
    },
  };
}
