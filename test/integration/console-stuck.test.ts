import { describe, expect, test } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import type { OpsParts } from '../../workers/ops-app.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, insertDelivery } from '../support/inbox.ts'
import { loggedIn, opsWithQueue } from '../support/ops.ts'
import { createOrg, type TestOrg } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

const TEXT = 'canary-text'
const MAX_BYTES = 100_000

const database = await createTestDatabase()
const { db, pool } = database
const { start } = opsWithQueue(database)

/** The lists of a console: their markup, their text, and the address of the next page. */
async function openLists(parts: Partial<OpsParts> = {}) {
  const url = await start(parts)
  const open = async (path: string) => {
    const { status, body } = await loggedIn(url + path)
    expect([path, status]).toEqual([path, 200])
    expect([path, Buffer.byteLength(body) <= MAX_BYTES]).toEqual([path, true])
    const next = /<a href="([^"]+)">Next page<\/a>/.exec(body)?.[1]?.replaceAll('&amp;', '&')
    return { body, text: body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' '), next }
  }
  /** The rows of all pages from an address on, page by page, by what `key` finds in their markup. */
  const pages = async (path: string, key: RegExp) => {
    const found: string[][] = []
    for (let at: string | undefined = path; at; ) {
      const { body, next } = await open(at)
      found.push([...body.matchAll(key)].map(([, value = '']) => value))
      at = next
    }
    return found
  }
  return { open, pages }
}

type Held = { count: number; number?: string; reason?: string; age?: string; from?: string }

/** Writes held messages with the wamids `<from>-1`, `<from>-2` and so on, the newest first. */
async function hold(org: TestOrg, { count, number, reason = 'because', age = '1 minute', from = 'w' }: Held) {
  await pool.query(
    `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, route, reason,
       payload, wa_id)
     select $1, $6 || '-' || n, $2, 'in', 'text', now() - $5::interval - n / 3 * interval '1 second', now(), -n, 'held',
       $4, json_build_object('text', $7::text), '13125550' || lpad(n::text, 3, '0')
     from generate_series(1, $3::int) n`,
    [org.id, number ?? org.phones[0], count, reason, age, from, TEXT],
  )
}

const WAMID = /q=(\w+-\d+)"/g

describe('the page of what is stuck', () => {
  test('counts each list and shows its beginning, with a link to all of it', async () => {
    const org = await createOrg(db)
    await hold(org, { count: 12 })
    for (const error of ['a', 'b', 'c']) await insertDelivery(db, 'dead', { error })
    await insertDelivery(db, 'parked')
    const { body, text } = await (await openLists()).open(`/console/stuck?org=${org.id}`)
    for (const total of ['Dead letters 3', 'Failed sends 0', 'Parked deliveries 1', 'Held messages 12'])
      expect(text).toContain(total)
    expect(body.match(WAMID)).toHaveLength(10)
    expect(body).toContain(`href="/console/stuck/held?org=${org.id}"`)
  })

  test('counts to 10,000 and no further', async () => {
    await pool.query(
      `insert into inbox (body, state, error) select '', 'dead', 'e' from generate_series(1, 10050)`,
    )
    const { open } = await openLists()
    expect((await open('/console/stuck')).text).toContain('Dead letters 10,000+')
    expect((await open('/console/stuck/dead')).text).toContain('10,000+ found')
    expect((await open('/console/stuck/dead?reason=nothing-like-this')).text).toContain(
      '0 of the first 10,000 found',
    )
  })
})

describe('the list of held messages', () => {
  test('has every message on one page, and addresses of pages that can be shared', async () => {
    const org = await createOrg(db)
    await hold(org, { count: 120 })
    const { pages } = await openLists()
    const path = `/console/stuck/held?org=${org.id}`
    const found = await pages(path, WAMID)
    expect(found.map((page) => page.length)).toEqual([50, 50, 20])
    expect(found.flat()).toEqual(Array.from({ length: 120 }, (_, i) => `w-${i + 1}`))
    expect(await pages(path, WAMID)).toEqual(found)
  })

  test('has messages of all orgs in the order of their times', async () => {
    const [one, other] = [await createOrg(db), await createOrg(db)]
    const mine = new Set<string>()
    for (const [i, org] of [one, other, one, other].entries()) {
      await hold(org, {
        count: 20,
        from: `k${i}${one.phones[0]!.replace(/\W/g, '')}`,
        age: `${4 - i} minutes`,
      })
      mine.add(org.id)
    }
    const found = (
      await (await openLists()).pages('/console/stuck/held', /customer\?org=([^&]+)&amp;q=k/g)
    ).flat()
    const shown = found.filter((id) => mine.has(id))
    expect(shown).toHaveLength(80)
    expect(shown).toEqual([
      ...Array(20).fill(other.id),
      ...Array(20).fill(one.id),
      ...Array(20).fill(other.id),
      ...Array(20).fill(one.id),
    ])
  })

  test('filters by org, number, reason and age; the address and the form hold the filter', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const [first = '', second = ''] = org.phones
    await hold(org, { count: 2, number: first, from: 'new' })
    await hold(org, { count: 3, number: second, from: 'old', age: '2 days', reason: 'an Odd one' })
    const { open, pages } = await openLists()
    const list = async (filter: string) =>
      (await pages(`/console/stuck/held?org=${org.id}${filter}`, WAMID)).flat().sort()
    const [fresh, old] = [
      ['new-1', 'new-2'],
      ['old-1', 'old-2', 'old-3'],
    ]
    expect(await list('')).toEqual([...fresh!, ...old!])
    for (const filter of [`&number=${first}`, '&reason=BECAUSE', '&age=under-1d', '&age=under-1h'])
      expect([filter, await list(filter)]).toEqual([filter, fresh])
    for (const filter of [`&number=${second}`, '&reason=odd', '&age=over-1d', '&age=over-1h&reason=odd'])
      expect([filter, await list(filter)]).toEqual([filter, old])
    expect(await list('&age=over-7d')).toEqual([])
    const { body, text } = await open(
      `/console/stuck/held?org=${org.id}&number=${second}&reason=odd&age=over-1d`,
    )
    expect(text).toContain('3 found')
    expect(body).toContain(`<option value="${second}" selected>`)
    expect(body).toMatch(/<input name="reason" value="odd"/)
    expect(body).toContain('<option value="over-1d" selected>')
  })

  test('looks on where a filter has found nothing among the first 5,000', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    await hold(org, { count: 6_000, from: 'many' })
    await hold(org, { count: 1, number: org.phones[1]!, age: '5 days', from: 'rare' })
    const { open } = await openLists()
    const { text, next } = await open(`/console/stuck/held?org=${org.id}&number=${org.phones[1]}`)
    expect(text).toContain('1 found')
    expect(text).toContain('Nothing fits among those looked at so far')
    expect((await open(next!)).body).toContain('q=rare-1"')
  })

  test('formats phones, and shows no text', async () => {
    const org = await createOrg(db)
    await deliver(db, post(org.phones[0]!, message({ from: '13125550123', body: TEXT })))
    const { text } = await (await openLists()).open(`/console/stuck/held?org=${org.id}`)
    expect(text).toContain('+1 312 555 0123')
    expect(text).not.toContain(TEXT)
  })
})

describe('the list of dead letters', () => {
  const ID = /<th scope="row"><a href="\/console\/stuck\/(\d+)"/g

  test('filters by reason and age, in pages', async () => {
    const old: string[] = []
    for (let i = 0; i < 60; i += 1)
      old.unshift(String(await insertDelivery(db, 'dead', { error: `Refused ${i}`, age: 100_000 - i })))
    const fresh = String(await insertDelivery(db, 'dead', { error: 'not JSON' }))
    const { pages } = await openLists()
    const list = (filter: string) => pages(`/console/stuck/dead?${filter}`, ID)
    expect(await list('')).toEqual([[fresh, ...old.slice(0, 49)], old.slice(49)])
    for (const filter of ['reason=refused', 'age=over-1d', 'age=over-1d&reason=refused'])
      expect([filter, await list(filter)]).toEqual([filter, [old.slice(0, 50), old.slice(50)]])
    for (const filter of ['reason=json', 'age=under-1h', 'age=under-1d'])
      expect([filter, await list(filter)]).toEqual([filter, [[fresh]]])
  })

  test('stays small however long errors and payloads are', async () => {
    const error = 'x '.repeat(1_000)
    for (let i = 0; i < 50; i += 1) await insertDelivery(db, 'dead', { error })
    const body = post('1', ...Array.from({ length: 3_000 }, () => message({ body: `"${TEXT}"` })))
    const id = await insertDelivery(db, 'dead', { error, body: body.toString() })
    const { open } = await openLists()
    await open('/console/stuck')
    await open('/console/stuck/dead')
    const { text } = await open(`/console/stuck/${id}`)
    expect(text).toContain('These are the first 50 of 3,000 items')
    expect(text).toContain('This is the beginning.')
    await open(`/console/stuck/${id}?text=show`)
  })
})

describe('the list of parked deliveries', () => {
  test('shows what they wait for, each delivery of it, and what a delivery holds, without its text', async () => {
    const held = message({ from: '13125550123', body: TEXT, id: 'wamid.PARKED' })
    await deliver(db, post('nowhere', held), post('elsewhere', message({ body: TEXT })))
    const lines: string[] = []
    const log = createLogger({ logLevel: 'info' }, { write: (line) => void lines.push(line) })
    const { open } = await openLists({ log })
    expect((await open('/console/stuck')).body).toContain(
      'href="/console/stuck/parked?waits=phone%3Anowhere"',
    )
    const { body, text } = await open('/console/stuck/parked?waits=phone%3Anowhere')
    expect(text).toContain('1 found')
    expect(text).not.toContain('phone:elsewhere')
    const [, path = ''] = /<a href="(\/console\/stuck\/\d+)"/.exec(body) ?? []
    const letter = await open(path)
    expect(letter.text).toContain('waits for phone:nowhere, which is not provisioned')
    expect(letter.text).toMatch(/message, customer text wamid\.PARKED nowhere/)
    for (const secret of [TEXT, '13125550123']) expect(letter.body).not.toContain(secret)
    expect(letter.body).not.toContain('method="post"')
    expect(lines).toEqual([])
    expect((await open(`${path}?text=show`)).body).toContain(TEXT)
    expect(JSON.parse(lines.join())).toMatchObject({ user: 'ops' })
  })

  test('filters by age and by what they wait for, in pages', async () => {
    const ids: string[] = []
    for (let i = 0; i < 55; i += 1) ids.push(String(await insertDelivery(db, 'parked', { age: 90_000 })))
    const fresh = String(await insertDelivery(db, 'parked'))
    await pool.query(`update inbox set parked_for = 'waba:b' where id = $1`, [fresh])
    const { pages } = await openLists()
    const list = (filter: string) =>
      pages(`/console/stuck/parked?${filter}`, /<th scope="row"><a href="\/console\/stuck\/(\d+)"/g)
    expect(await list('')).toEqual([ids.slice(0, 50), [...ids.slice(50), fresh]])
    for (const filter of ['waits=phone+1', 'age=over-1d'])
      expect([filter, await list(filter)]).toEqual([filter, [ids.slice(0, 50), ids.slice(50)]])
    for (const filter of ['waits=waba%3Ab', 'age=under-1h'])
      expect([filter, await list(filter)]).toEqual([filter, [[fresh]]])
  })
})

test.each(['dead', 'sends', 'parked', 'held'])(
  'the list %s refuses an address that is none of its own',
  async (list) => {
    const url = await start()
    for (const query of ['before=x', 'before=WyJhIl0', 'age=ever', 'reason=a&reason=b', 'waits=%00'])
      expect([query, (await loggedIn(`${url}/console/stuck/${list}?${query}`)).status]).toEqual([query, 422])
  },
)
