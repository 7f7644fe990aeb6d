import { type Logger, pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLifetime, type Lifetime, stopOnSignals } from '../../src/lifetime.ts'

const never = () => new Promise<void>(() => {})

let lines: { msg: string; part: string; err: { message: string } }[]
let log: Logger
let lifetime: Lifetime
let stopped: string[]

/** By the clock of the test: a busy machine changes nothing. */
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  stopped = []
  log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  lifetime = createLifetime(log)
})

afterEach(() => void vi.useRealTimers())

/** Stops the lifetime and gives how long that took, in milliseconds. */
async function stop(deadlineMs: number): Promise<number> {
  const start = performance.now()
  const ended = lifetime.stop(deadlineMs).then(() => performance.now() - start)
  await vi.advanceTimersByTimeAsync(2 * deadlineMs)
  return ended
}

const part = (name: string, release: () => unknown = () => {}) =>
  lifetime.onStop(name, async () => {
    stopped.push(name)
    await release()
  })

describe('stopping', () => {
  test('releases the parts in reverse order, each after the one before has ended', async () => {
    part('database')
    part('queue', async () => {
      await sleep(20)
      stopped.push('queue ended')
    })
    part('server')
    await stop(1_000)
    expect(stopped).toEqual(['server', 'queue', 'queue ended', 'database'])
    expect(lines).toEqual([])
  })

  test('goes on after a part that throws or rejects, and logs it by name', async () => {
    part('database')
    part('queue', () => Promise.reject(new Error('gone')))
    lifetime.onStop('server', () => {
      throw new Error('broken')
    })
    await stop(1_000)
    expect(stopped).toEqual(['queue', 'database'])
    expect(lines.map((line) => [line.part, line.err.message])).toEqual([
      ['server', 'broken'],
      ['queue', 'gone'],
    ])
  })

  test('goes on after a part that hangs, so that every other part is released', async () => {
    part('database', () => sleep(10))
    part('queue', never)
    part('server', never)
    await stop(200)
    expect(stopped).toEqual(['server', 'queue', 'database'])
    expect(lines.map((line) => line.part)).toEqual(['server', 'queue'])
  })

  test('ends at its deadline if every part hangs', async () => {
    for (const name of ['a', 'b', 'c', 'd']) part(name, never)
    expect(await stop(200)).toBe(200)
    expect(stopped).toEqual(['d', 'c', 'b', 'a'])
  })

  test('gives the last part all the remaining time', async () => {
    part('database', () => sleep(150))
    await stop(200)
    expect(lines).toEqual([])
  })

  test('happens once if it is called twice, and both calls wait for it', async () => {
    part('database', async () => {
      await sleep(20)
      stopped.push('database ended')
    })
    void lifetime.stop(1_000)
    expect(await stop(1_000)).toBe(20)
    expect(stopped).toEqual(['database', 'database ended'])
  })

  test('lets all parts go on for the delay, while it says that the end has begun', async () => {
    part('database')
    const stopping = lifetime.stop(1_000, 5_000)
    expect(lifetime.ending.aborted).toBe(true)
    await vi.advanceTimersByTimeAsync(4_999)
    expect(stopped).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    await stopping
    expect(stopped).toEqual(['database'])
  })

  test('ends at once with nothing to release', async () => {
    expect(await stop(1_000)).toBe(0)
  })
})

describe('signals', () => {
  let exit: ReturnType<typeof vi.fn<(code: number) => void>>
  let handlers: Record<'SIGTERM' | 'SIGINT', (signal?: string) => void>

  /** The handlers are called by hand: a real signal would also reach whoever runs the tests. */
  beforeEach(() => {
    exit = vi.fn()
    const on = vi.spyOn(process, 'on').mockReturnThis()
    stopOnSignals(lifetime, { deadlineMs: 200, exit, log })
    handlers = Object.fromEntries(on.mock.calls) as unknown as typeof handlers
    on.mockRestore()
  })
  afterEach(() => vi.restoreAllMocks())

  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops every part and then exits with 0', async (signal) => {
    part('database')
    handlers[signal]()
    expect(exit).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(exit).toHaveBeenCalledExactlyOnceWith(0))
    expect(stopped).toEqual(['database'])
    expect(lines.map(({ msg }) => msg)).toEqual([
      'Usher stops: it is not ready any more',
      'Usher has stopped',
    ])
  })

  test('a second signal exits with 1 at once', () => {
    part('database', never)
    handlers.SIGTERM()
    handlers.SIGINT()
    expect(exit).toHaveBeenCalledExactlyOnceWith(1)
  })

  test('a part that hangs does not keep the process alive beyond the deadline', async () => {
    part('database', never)
    handlers.SIGTERM()
    await vi.waitFor(() => expect(exit).toHaveBeenCalledExactlyOnceWith(0), { timeout: 1_000 })
  })
})
