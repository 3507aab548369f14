// `node --expose-gc measure.mjs KIND PEER URL`: one measurement of one peer in a process of its own; JSON on stdout.
const [kind, peer, url] = process.argv.slice(2);
const memories = [];
let crossings = 0;
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    super(module, kind === "crossings" ? counted(imports) : imports);
    if (this.exports.memory) memories.push(this.exports.memory);
  }
};

/** Imports that count how often they are called. */
function counted(imports) {
  const count = (call) => (...args) => {
    crossings += 1;
    return call(...args);
  };
  const all = Object.entries(imports).map(([name, functions]) => [
    name, Object.fromEntries(Object.entries(functions).map(([key, value]) => [key, typeof value === "function" ? count(value) : value])),
  ]);
  return Object.fromEntries(all);
}

const { client } = await import(new URL(`peers/${peer}.mjs`, import.meta.url));

async function repeat(count, work) {
  for (let index = 0; index < count; index += 1) await work();
}

/** Microseconds of this process's own CPU, and of wall time, for each of `count`. */
async function cost(count, work) {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await repeat(count, work);
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / count, wall: ((performance.now() - begun) * 1_000) / count };
}

function size() {
  for (let times = 0; times < 4; times += 1) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return { bytes: heapUsed + external, pages: memories.reduce((sum, { buffer }) => sum + buffer.byteLength / 65_536, 0) };
}

const kinds = {
  async cold() {
    const { token } = await client(url).exchange();
    if (!token) throw new Error("no token");
    return {};
  },
  async exchange() {
    const { exchange } = client(url);
    await repeat(3_000, exchange);
    return cost(4_000, exchange);
  },
  async crossings() {
    const { exchange } = client(url);
    await repeat(100, exchange);
    crossings = 0;
    await repeat(100, exchange);
    return { perExchange: crossings / 100 };
  },
  async read() {
    const { exchange, read } = client(url);
    await exchange();
    await repeat(200_000, read);
    return cost(1_000_000, read);
  },
  async herd() {
    const { read } = client(url);
    const begun = performance.now();
    await Promise.all(Array.from({ length: 10_000 }, read));
    return { wall: performance.now() - begun };
  },
  async growth() {
    const { exchange, read } = client(url);
    await repeat(2_000, exchange);
    await repeat(50_000, read);
    const before = size();
    await repeat(20_000, exchange);
    await repeat(1_000_000, read);
    const after = size();
    return { bytes: after.bytes - before.bytes, pages: after.pages - before.pages };
  },
};

const result = await kinds[kind]();
process.stdout.write(JSON.stringify(result), () => process.exit());
