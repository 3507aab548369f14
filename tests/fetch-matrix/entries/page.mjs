// A page of the matrix's server, in a frame of the runner's.
const { index, baseUrl } = Object.fromEntries(new URLSearchParams(location.search));
try {
  const { observe } = await import("../observe.mjs");
  parent.postMessage(await observe(await import(index), baseUrl), "*");
} catch (error) {
  parent.postMessage({ failed: String(error) }, "*");
}
