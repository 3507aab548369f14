// The fastest answer that there is to each peer's request: one constant per path over raw sockets, keep-alive. Runs in a
// process of its own and tells, when asked, how many requests came.
import { createServer } from "node:net";

const now = Math.floor(Date.now() / 1_000);
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = `${part({ alg: "HS256", typ: "JWT" })}.${part({ companyId: "bench", iat: now, exp: now + 3_600 })}.${"s".repeat(43)}`;

const bodies = {
  "/v1/auth": { statusCode: 200, message: "Successful", data: { token, exp: now + 3_600 } },
  "/v1/auth/token": { success: true, data: { access_token: token, expires_in: 3_600 } },
  "/token": { access_token: token, token_type: "bearer", expires_in: 3_600 },
};
const answers = Object.fromEntries(Object.entries(bodies).map(([path, body]) => {
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: ${new Date(now * 1_000).toUTCString()}\r\nContent-Length: ${text.length}\r\n\r\n`;
  return [path, Buffer.from(head + text)];
}));

let requests = 0;
const server = createServer({ noDelay: true }, (socket) => {
  let received = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
    for (let end; (end = received.indexOf("\r\n\r\n")) >= 0;) {
      const head = received.slice(0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      received = received.slice(end + 4 + length);
      requests += 1;
      socket.write(answers[head.split(" ", 2)[1]] ?? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
  });
});
server.listen(0, "127.0.0.1", 4_096, () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));
process.on("message", () => {
  process.send({ requests });
  requests = 0;
});
process.on("disconnect", () => process.exit());
