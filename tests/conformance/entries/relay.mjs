/** Asks a worker for its report and gives it to the page that opened this one. */
export function relay(worker) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => parent.postMessage(data, "*");
  worker.postMessage(port2, [port2]);
}
