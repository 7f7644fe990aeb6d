import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { workSideBySide } from '../../src/contact-import/side-by-side.ts'

type Item = { name: string; keys?: string[] }

/** Work that ends when the test says so, and what has begun and ended. */
function createWork(most = 2) {
  const log: string[] = []
  const ends = new Map<string, { resolve: (name: string) => void; reject: (error: Error) => void }>()
  const work = ({ name }: Item) => {
    log.push(`begin ${name}`)
    return new Promise<string>((resolve, reject) => ends.set(name, { resolve, reject }))
  }
  const finish = async (...names: string[]) => {
    for (const name of names) ends.get(name)!.resolve(name)
    for (let turns = 0; turns < 5; turns += 1) await setImmediate()
  }
  const start = (source: AsyncIterable<Item>) => {
    const results = workSideBySide(source, { most, keysOf: ({ keys = [] }) => keys, work })
    const done = (async () => {
      for await (const result of results) log.push(`result ${result}`)
    })()
    done.catch(() => undefined)
    return done
  }
  return { log, ends, finish, start }
}

async function* of(...items: Item[]) {
  yield* items
}

it('gives the results in the order of the items, and begins no more than allowed', async () => {
  const { log, finish, start } = createWork()
  const done = start(of({ name: 'a' }, { name: 'b' }, { name: 'c' }))
  await finish()
  expect(log).toEqual(['begin a', 'begin b'])
  await finish('b')
  expect(log).toEqual(['begin a', 'begin b'])
  await finish('a')
  expect(log.slice(2).toSorted()).toEqual(['begin c', 'result a', 'result b'])
  await finish('c')
  await done
  expect(log.filter((one) => one.startsWith('result'))).toEqual(['result a', 'result b', 'result c'])
})

it('begins an item that has a key of another one when that one has ended', async () => {
  const { log, finish, start } = createWork()
  const done = start(of({ name: 'a', keys: ['k', 'l'] }, { name: 'b', keys: ['l'] }, { name: 'c' }))
  await finish()
  expect(log).toEqual(['begin a'])
  await finish('a')
  expect(log).toEqual(['begin a', 'result a', 'begin b', 'begin c'])
  await finish('b', 'c')
  await done
})

it('gives a result while the source waits', async () => {
  const { log, finish, start } = createWork()
  let go = () => {}
  async function* slow() {
    yield { name: 'a' }
    await new Promise<void>((resolve) => {
      go = resolve
    })
  }
  const done = start(slow())
  await finish()
  await finish('a')
  expect(log).toEqual(['begin a', 'result a'])
  go()
  await done
})

it('throws what the source throws after the results of the items before', async () => {
  const { log, finish, start } = createWork()
  async function* broken() {
    yield { name: 'a' }
    throw new Error('cut off')
  }
  const done = start(broken())
  await finish()
  await finish('a')
  await expect(done).rejects.toThrow('cut off')
  expect(log).toEqual(['begin a', 'result a'])
})

it('throws what work throws when the other work has ended', async () => {
  const { log, ends, finish, start } = createWork()
  const done = start(of({ name: 'a' }, { name: 'b' }))
  let over = false
  done.catch(() => {
    over = true
  })
  await finish()
  ends.get('a')!.reject(new Error('a failed'))
  await finish()
  expect(over).toBe(false)
  await finish('b')
  await expect(done).rejects.toThrow('a failed')
  expect(log).toEqual(['begin a', 'begin b'])
})
