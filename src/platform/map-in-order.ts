/**
 * The results of `work`, in the order of the items, while up to `limit` of them are at work. An item that fails ends
 * the whole; what still runs then is waited for.
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Its turn to be waited for may come after it has failed.
      result.catch(() => undefined);
      running.push(result);
      if (running.length < limit) continue;
      const first = running.shift();
      if (first !== undefined) yield await first;
    }
    for (let next = running.shift(); next !== undefined; next = running.shift()) yield await next;
  } finally {
    await Promise.allSettled(running);
  }
}
