/** Two lists in the order of their keys, walked side by side: flat memory, however long they are. */
export interface Pair<L, R> {
  readonly key: string;
  readonly left: L | undefined;
  readonly right: R | undefined;
}

export interface Keyed<T> {
  readonly items: AsyncIterable<T>;
  readonly keyOf: (item: T) => string;
}

/** Keys compare byte by byte, which for ASCII is how JavaScript compares. Equal keys of one side each come alone. */
export async function* mergeJoin<L, R>(left: Keyed<L>, right: Keyed<R>): AsyncGenerator<Pair<L, R>> {
  const lefts = left.items[Symbol.asyncIterator]();
  const rights = right.items[Symbol.asyncIterator]();
  let l = await lefts.next();
  let r = await rights.next();
  while (l.done !== true || r.done !== true) {
    const leftKey = l.done === true ? undefined : left.keyOf(l.value);
    const rightKey = r.done === true ? undefined : right.keyOf(r.value);
    const takeLeft = leftKey !== undefined && (rightKey === undefined || leftKey <= rightKey);
    const takeRight = rightKey !== undefined && (leftKey === undefined || rightKey <= leftKey);
    yield {
      key: (takeLeft ? leftKey : rightKey) ?? "",
      left: takeLeft && l.done !== true ? l.value : undefined,
      right: takeRight && r.done !== true ? r.value : undefined,
    };
    if (takeLeft) l = await lefts.next();
    if (takeRight) r = await rights.next();
  }
}
