/** `most`: items that are worked on at a time. Items that have a key in common are worked on one after another. */
export type SideBySide<T, R> = {
  most: number
  keysOf: (item: T) => Iterable<string>
  work: (item: T) => Promise<R>
}

type Begun<R> = { keys: Set<string>; result: Promise<R>; ended: Promise<void> }

/**
 * Works on the items of a source, several at a time, and gives the results in the order of the items. The next item is read
 * meanwhile; a result is given as soon as it and all before it are there, whether or not more items come.
 * @throws what `work` and the source throw, after the results of the items before; work that is under way then has ended
 */
export async function* workSideBySide<T, R>(
  source: AsyncIterable<T>,
  { most, keysOf, work }: SideBySide<T, R>,
): AsyncGenerator<R> {
  const items = source[Symbol.asyncIterator]()
  const begun: Begun<R>[] = []
  try {
    let next = read(items)
    let last: Arrived<T> | undefined
    while (!last) {
      const arrived = begun.length < most ? await Promise.race([next, ...endOfFirst(begun)]) : undefined
      if (arrived?.item) {
        const keys = new Set(keysOf(arrived.item.value))
        yield* giveWhile(begun, () => begun.some(sharesOneOf(keys)))
        begun.push(begin(keys, work(arrived.item.value)))
        next = read(items)
      } else if (arrived) last = arrived
      else yield await takeFirst(begun)
    }
    yield* giveWhile(begun, () => begun.length > 0)
    if (last.failed) throw last.failed.error
  } finally {
    await Promise.all(begun.map(({ ended }) => ended))
    // Not awaited: the item that is being read may come late, or never.
    items.return?.().catch(() => undefined)
  }
}

async function* giveWhile<R>(begun: Begun<R>[], isWanted: () => boolean): AsyncGenerator<R> {
  while (isWanted()) yield await takeFirst(begun)
}

const sharesOneOf = (keys: Set<string>) => (one: Begun<unknown>) => [...keys].some((key) => one.keys.has(key))

/** `item`: undefined at the end, and when reading failed. */
type Arrived<T> = { item?: { value: T }; failed?: { error: unknown } }

function read<T>(items: AsyncIterator<T>): Promise<Arrived<T>> {
  return items.next().then(
    ({ done, value }) => (done ? {} : { item: { value } }),
    (error: unknown) => ({ failed: { error } }),
  )
}

function begin<R>(keys: Set<string>, result: Promise<R>): Begun<R> {
  const end = () => undefined
  return { keys, result, ended: result.then(end, end) }
}

function endOfFirst<R>(begun: Begun<R>[]): Promise<void>[] {
  return begun.slice(0, 1).map(({ ended }) => ended)
}

function takeFirst<R>(begun: Begun<R>[]): Promise<R> {
  const first = begun.shift()
  if (!first) throw new Error('there is no work to wait for')
  return first.result
}
