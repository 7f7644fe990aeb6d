import { describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { accountFor } from '../../support/faults/checks/account.ts'
import { PostedRecord } from '../../support/faults/checks/posted-record.ts'
import { seededRandom } from '../../support/faults/random.ts'
import { publishFigure, SEED } from '../../support/figures.ts'
import { createOrg } from '../../support/org.ts'
import { message, newWamid, post } from '../../support/webhooks.ts'

describe('unreadable items', () => {
  const deepId = newWamid()
  /** A message with more nesting than Usher reads. */
  const deep = `{"id":"${deepId}","from":"1","type":"text","text":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
  const bad = [7, null, 'x', [], { ...message({}), id: undefined }, { id: newWamid(), type: 'text' }, 'DEEP']

  it('in a delivery do not hinder the others: these are routed, and the bytes of the delivery are kept', async () => {
    const app = await startTestApp('postgres')
    const org = await createOrg(app.db)
    const odd = [
      message({ body: 'a\u0000b' }),
      message({ body: 'unpaired \ud800 surrogate' }),
      message({ type: 'invented', extra: { invented: { a: [1, 2, {}] } } }),
    ]
    const good = [...odd, ...Array.from({ length: 190 }, () => message({}))]
    const items = seededRandom(SEED).shuffled([...good, ...bad])
    const text = post(org.phones[0]!, ...items)
      .toString()
      .replace('"DEEP"', deep)
    const body = Buffer.from(text)
    const record = new PostedRecord()
    record.add(body)
    expect(await app.post(body)).toBe(200)
    record.acknowledge(body)
    await app.drained()
    const { rows } = await app.db.$client.query(
      `select (select count(*)::int from messages where wamid = any($1)) as routed,
         (select array_agg(convert_from(body, 'UTF8')) from inbox where state = 'dead') as kept,
         (select min(error) from inbox) as error`,
      [good.map((m) => m.id)],
    )
    expect(rows[0]).toMatchObject({ routed: good.length, kept: [text] })
    expect(rows[0].error.split('; ')).toHaveLength(bad.length)
    const account = await accountFor({
      db: app.db,
      databaseUrl: app.databaseUrl,
      posted: await record.messages(app.db),
      accepted: undefined,
      deadLetters: new Set([deepId]),
    })
    publishFigure(19, {
      of: 'items',
      n: items.length,
      seed: SEED,
      account,
      also: { routed: good.length, kept: bad.length },
    })
  })
})
