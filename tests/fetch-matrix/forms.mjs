// The forms in which fetch can be called. `make(url)` makes what one call needs: `args`, and, if there is something to it,
// `change` (what the caller does right after the call), `look` (what the caller can see of its objects), `later` (what it
// does while the server holds its answer) and `reason`. `replays: false`: the body cannot be sent again.
const text = "amount=100 ü";
const bytes = () => new TextEncoder().encode(text);
const post = (body, more) => ({ method: "POST", body, ...more });

function streamOf(...chunks) {
  const seen = { cancelled: "no" };
  const body = new ReadableStream({
    pull(controller) {
      if (chunks.length > 0) controller.enqueue(chunks.shift());
      else controller.close();
    },
    cancel: (reason) => void (seen.cancelled = String(reason)),
  }, { highWaterMark: 0 });
  return { body, seen };
}

async function* iterable() {
  yield new TextEncoder().encode("one ");
  yield new TextEncoder().encode("two");
}

function formData() {
  const form = new FormData();
  form.append("field", "value ü");
  form.append("file", new File(["content"], "name.txt", { type: "text/plain" }));
  form.append("blob", new Blob(["blob"]));
  return form;
}

/** Bodies that are there as a whole; `change` is what the caller does to them after the call. */
const bodies = {
  "a string": () => [text],
  "an empty string": () => [""],
  "a number": () => [100],
  "null": () => [null],
  "a String object": () => [new String(text)],
  "an object with toString": () => {
    let read = 0;
    return [{ toString: () => `read ${(read += 1)}` }];
  },
  "an array": () => [[1, 2]],
  "an ArrayBuffer": () => {
    const body = bytes().buffer;
    return [body, () => new Uint8Array(body).fill(48)];
  },
  "a resizable ArrayBuffer": () => {
    const body = new ArrayBuffer(4, { maxByteLength: 8 });
    new Uint8Array(body).fill(65);
    return [body, () => body.resize(8)];
  },
  "a view of a resizable ArrayBuffer": () => {
    const body = new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 })).fill(65);
    return [body, () => body.buffer.resize(8)];
  },
  "a SharedArrayBuffer": () => [new SharedArrayBuffer(4)],
  "a view of a SharedArrayBuffer": () => [new Uint8Array(new SharedArrayBuffer(4)).fill(65)],
  "a Uint8Array": () => {
    const body = bytes();
    return [body, () => body.fill(48)];
  },
  "a part of a Uint8Array": () => {
    const body = bytes().subarray(2, 6);
    return [body, () => body.fill(48)];
  },
  "a Uint8Array that is transferred": () => {
    const body = bytes();
    return [body, () => structuredClone(body.buffer, { transfer: [body.buffer] })];
  },
  "a DataView": () => {
    const body = new DataView(bytes().buffer, 1, 4);
    return [body, () => body.setUint8(0, 48)];
  },
  "a Float64Array": () => {
    const body = Float64Array.of(1, 2);
    return [body, () => body.fill(3)];
  },
  "a Blob": () => [new Blob([text], { type: "text/x" })],
  "a Blob without a type": () => [new Blob([text])],
  "a File": () => [new File([text], "name.txt", { type: "text/x" })],
  "FormData": () => {
    const body = formData();
    return [body, () => body.set("field", "changed")];
  },
  "URLSearchParams": () => {
    const body = new URLSearchParams({ amount: "100", note: "ü &" });
    return [body, () => body.set("amount", "300")];
  },
};

export const forms = {};
const add = (name, make, more) => (forms[name] = { make, ...more });

for (const [name, body] of Object.entries(bodies)) {
  add(`body: ${name}`, (url) => {
    const [value, change] = body();
    return { args: [url, post(value)], change };
  });
  add(`body: ${name}, with a Content-Type`, (url) => {
    const [value, change] = body();
    return { args: [url, post(value, { headers: { "Content-Type": "application/x-own" } })], change };
  });
  add(`Request with body: ${name}`, (url) => {
    const [value, change] = body();
    const request = new Request(url, post(value));
    change?.();
    return { args: [request], look: () => request.bodyUsed };
  });
  add(`Request, and body in init: ${name}`, (url) => {
    const [value, change] = body();
    const request = new Request(url, post("of the Request"));
    return { args: [request, { body: value }], change, look: () => request.bodyUsed };
  });
}

// Without bytes by the time of the call.
const transferred = {
  "an ArrayBuffer": (buffer) => buffer,
  "a Uint8Array": (buffer) => new Uint8Array(buffer),
  "a DataView": (buffer) => new DataView(buffer),
};
for (const [name, viewOf] of Object.entries(transferred)) {
  add(`body: ${name} that was transferred`, (url) => {
    const { buffer } = bytes();
    const body = viewOf(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    return { args: [url, post(body)] };
  });
}

// Streams.
const streams = { replays: false };
add("stream", (url) => {
  const { body, seen } = streamOf(bytes(), bytes());
  return { args: [url, post(body, { duplex: "half" })], look: () => seen.cancelled };
}, streams);
add("stream of a Blob", (url) => ({ args: [url, post(new Blob([text]).stream(), { duplex: "half" })] }), streams);
add("stream without chunks", (url) => ({ args: [url, post(streamOf().body, { duplex: "half" })] }), streams);
add("stream that is read after the call", (url) => {
  // Not at its end when it is looked at.
  const slow = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  let chunks = 6;
  const body = new ReadableStream({
    async pull(controller) {
      await slow(20);
      if ((chunks -= 1) > 0) controller.enqueue(bytes());
      else controller.close();
    },
  }, { highWaterMark: 0 });
  let taken = "locked";
  return {
    args: [url, post(body, { duplex: "half" })],
    later: () => {
      try {
        body.getReader();
        taken = "free";
      } catch {}
    },
    look: () => taken,
  };
}, streams);
add("stream without duplex", (url) => ({ args: [url, post(streamOf(bytes()).body)] }), streams);
add("stream of text", (url) => ({ args: [url, post(streamOf("text").body, { duplex: "half" })] }), streams);
add("stream that fails", (url) => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("of the stream")) });
  return { args: [url, post(body, { duplex: "half" })] };
}, streams);
add("locked stream", (url) => {
  const { body } = streamOf(bytes());
  body.getReader();
  return { args: [url, post(body, { duplex: "half" })] };
}, streams);
add("async iterable", (url) => ({ args: [url, post(iterable(), { duplex: "half" })] }), streams);
add("Request with a stream", (url) => {
  const { body, seen } = streamOf(bytes(), bytes());
  const request = new Request(url, post(body, { duplex: "half" }));
  return { args: [request], look: () => `${request.bodyUsed} ${seen.cancelled}` };
}, { gainsLength: true });
add("Request with a stream over 1 MiB", (url) => {
  const { body } = streamOf(...Array.from({ length: 20 }, () => new Uint8Array(65_536).fill(65)));
  const request = new Request(url, post(body, { duplex: "half" }));
  return { args: [request], look: () => request.bodyUsed };
}, streams);
add("Request that was used", (url) => {
  const request = new Request(url, post(text));
  request.text();
  return { args: [request] };
});
add("Request that was used, and another body", (url) => {
  const request = new Request(url, post(text));
  request.text();
  return { args: [request, { body: "another" }] };
});
add("Request as init", (url) => ({ args: [url, new Request(`${url}/other`, { method: "PUT", headers: { a: "1" } })] }));

// Headers.
const own = { "X-Key": "k1", Accept: "text/csv" };
function* pairs() {
  yield ["X-Key", "k1"];
  yield ["X-Key", "k2"];
}
const headers = {
  "Headers": () => {
    const headers = new Headers(own);
    return [headers, () => headers.set("X-Key", "k3")];
  },
  "an object": () => {
    const headers = { ...own };
    return [headers, () => (headers["X-Key"] = "k3")];
  },
  "an array": () => {
    const headers = Object.entries(own);
    return [headers, () => (headers[0][1] = "k3")];
  },
  "a Map": () => {
    const headers = new Map(Object.entries(own));
    return [headers, () => headers.set("X-Key", "k3")];
  },
  "a generator": () => [pairs()],
  "an object with a number": () => [{ "X-Key": 1 }],
  "an empty value": () => [{ "X-Key": "" }],
  "our own names": () => [{ authorization: "Basic mine" }],
};
for (const [name, make] of Object.entries(headers)) {
  add(`headers: ${name}`, (url) => {
    const [value, change] = make();
    return { args: [url, post(text, { headers: value })], change };
  });
  add(`headers: ${name}, over a Request's`, (url) => {
    const [value, change] = make();
    return { args: [new Request(url, { headers: { "X-Lost": "1" } }), { headers: value }], change };
  });
}
add("headers: of a Request, changed", (url) => {
  const request = new Request(url, { headers: own });
  return { args: [request], change: () => request.headers.set("X-Key", "k3") };
});

// Input and method.
add("input: URL, changed", (url) => {
  const input = new URL(url);
  return { args: [input, {}], change: () => (input.pathname += "/changed") };
});
add("input: object with toString", (url) => ({ args: [{ toString: () => url }] }));
add("input: with a fragment", (url) => ({ args: [`${url}?a=1#part`] }));
add("init: changed", (url) => {
  const init = { method: "POST", body: "first" };
  return { args: [url, init], change: () => Object.assign(init, { method: "PUT", body: "second" }) };
});
add("init: frozen, over a Request", (url) => ({ args: [new Request(url, { method: "PUT" }), Object.freeze({ method: undefined, body: text })] }));
add("init: inherited", (url) => ({ args: [url, Object.create({ method: "PUT", body: "inherited" })] }));
add("init: what is read, how often, in which order", (url) => {
  const read = [];
  const members = { method: "POST", body: text, headers: {}, redirect: "follow", referrerPolicy: "", unknown: 1, signal: undefined };
  const init = {};
  // What no runtime knows is not listed: whoever passes it on has to read it.
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(init, name, { enumerable: name !== "unknown", get: () => (read.push(name), value) });
  }
  return { args: [url, init], look: () => read.join(" ") };
});
for (const method of ["get", "put", "patch", "DELETE", "HEAD", "own"]) {
  add(`method: ${method}`, (url) => ({ args: [url, { method }] }));
  add(`method: ${method}, of a Request`, (url) => ({ args: [new Request(url, { method })] }));
}

// What else a Request has.
const members = {
  "referrer none": { referrer: "" },
  "referrer": (url) => ({ referrer: `${new URL(url).origin}/from` }),
  "referrer policy": (url) => ({ referrer: `${new URL(url).origin}/from/here`, referrerPolicy: "origin" }),
  "no-referrer": { referrerPolicy: "no-referrer" },
  "mode same-origin": { mode: "same-origin" },
  "mode no-cors": { mode: "no-cors" },
  "credentials omit": { credentials: "omit" },
  "credentials include": { credentials: "include" },
  "cache no-store": { cache: "no-store" },
  "cache reload": { cache: "reload" },
  "integrity": { integrity: "sha256-QGLtr3UPuAdOfoPgyQKMlOMkaKi28WFHdDKO8EUVD5M=" },
  "integrity that is wrong": { integrity: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
  "keepalive": { keepalive: true },
  "priority": { priority: "low" },
};
for (const [name, init] of Object.entries(members)) {
  const of = (url) => (typeof init === "function" ? init(url) : init);
  add(`init: ${name}`, (url) => ({ args: [url, of(url)] }));
  add(`Request: ${name}`, (url) => ({ args: [new Request(url, of(url))] }));
  add(`Request with a body: ${name}`, (url) => ({ args: [new Request(url, post(text, of(url)))] }));
  add(`Request: ${name}, and headers in init`, (url) => ({ args: [new Request(url, of(url)), { headers: own }] }));
}
for (const redirect of ["follow", "manual", "error"]) {
  for (const status of [303, 307]) {
    add(`redirect: ${status}, ${redirect}`, (url) => ({ args: [`${url}?redirect=${status}`, post(text, { redirect })] }));
    add(`redirect: ${status}, ${redirect}, of a Request`, (url) => ({ args: [new Request(`${url}?redirect=${status}`, post(text, { redirect }))] }));
  }
}

// What is refused. Two faults at once tell the order.
const faults = {
  "headers null": { headers: null },
  "headers a string": { headers: "a" },
  "a header's name": { headers: { "no good": "1" } },
  "a header's value": { headers: { a: "\n1\u0000" } },
  "method": { method: "no good" },
  "method TRACE": { method: "TRACE" },
  "GET with a body": { body: "x" },
  "mode navigate": { mode: "navigate" },
  "mode": { mode: "zz" },
  "cache": { cache: "zz" },
  "cache only-if-cached": { cache: "only-if-cached" },
  "redirect": { redirect: "zz" },
  "referrer": { referrer: "http://[" },
  "referrerPolicy": { referrerPolicy: "zz" },
  "signal": { signal: 1 },
  "window": { window: 1 },
  "method and headers": { method: "no good", headers: null },
  "a getter": { get method() { throw new RangeError("of the getter"); } },
  "a conversion": { method: "POST", body: { toString() { throw new RangeError("of toString"); } } },
};
for (const [name, init] of Object.entries(faults)) {
  add(`refused: ${name}`, (url) => ({ args: [url, init] }));
  add(`refused: ${name}, of a Request`, (url) => ({ args: [new Request(url), init] }));
  add(`refused: ${name}, and aborted`, (url) => {
    const signal = AbortSignal.abort(new Error("aborted"));
    const both = Object.create(init, { signal: { value: "signal" in init ? init.signal : signal } });
    return { args: [url, both] };
  });
}
add("refused: no arguments", () => ({ args: [] }));
add("refused: a symbol", () => ({ args: [Symbol("x")] }));
add("refused: no URL", () => ({ args: ["http://["] }));
add("refused: user info in the URL", (url) => ({ args: [url.replace("http://", "http://user:password@")] }));
add("refused: init a number", (url) => ({ args: [url, 5] }));
add("refused: init a string", (url) => ({ args: [url, "POST"] }));
add("init: null", (url) => ({ args: [url, null] }));

// Aborts.
const aborts = {
  "none": () => post(text),
  "a stream": (seen) => {
    const { body, seen: own } = streamOf(bytes());
    seen.of = own;
    return post(body, { duplex: "half" });
  },
};
for (const [name, make] of Object.entries(aborts)) {
  for (const asRequest of [false, true]) {
    for (const when of ["before", "in the same turn", "later"]) {
      add(`aborted ${when}, body: ${name}${asRequest ? ", of a Request" : ""}`, (url) => {
        const controller = new AbortController();
        const reason = new Error("enough");
        const seen = {};
        const init = { ...make(seen), signal: controller.signal };
        const target = when === "later" ? `${url}?hold` : url;
        const args = asRequest ? [new Request(target, init)] : [target, init];
        if (when === "before") controller.abort(reason);
        return {
          args,
          reason,
          change: when === "in the same turn" ? () => controller.abort(reason) : undefined,
          later: when === "later" ? () => controller.abort(reason) : undefined,
          look: () => seen.of?.cancelled,
        };
        // Later, what the source of the body is told is a matter of time.
      }, { ...streams, isAborted: true, isLate: when !== "before" });
    }
  }
}
