// Jobs beside each other, as far as they do not disturb each other.

/**
 * Runs `jobs` in their order, at most `width` at a time. Those of one `lane` take turns. What is `alone` runs when nothing else
 * does, after all others. Resolves when the last one has ended; a job's `run` must not reject.
 */
export async function sideBySide(jobs, width) {
  const waiting = jobs.filter(({ alone }) => !alone);
  const taken = new Set();
  const take = () => {
    const index = waiting.findIndex(({ lane }) => lane === undefined || !taken.has(lane));
    return index === -1 ? undefined : waiting.splice(index, 1)[0];
  };
  // Whoever finds nothing but what waits for a taken lane leaves that to the one in the lane.
  const worker = async () => {
    for (let job; (job = take()) !== undefined;) {
      if (job.lane !== undefined) taken.add(job.lane);
      await job.run();
      taken.delete(job.lane);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  for (const job of jobs.filter(({ alone }) => alone)) await job.run();
}
