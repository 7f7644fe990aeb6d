import { beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { checkEffects } from '../support/faults/checks/account.ts'
import type { PostedMessage } from '../support/faults/checks/evidence.ts'
import { createReport } from '../support/faults/checks/report.ts'
import { readRemoved } from '../support/faults/lab/check-people.ts'
import { KINDS } from '../support/faults/lab/kinds/kinds.ts'
import { createLoadLog, noteAcknowledged } from '../support/faults/lab/load-log.ts'
import { moveNumber, provisionOrgs, removeUser } from '../support/faults/lab/orgs.ts'
import { createPopulation } from '../support/faults/lab/population.ts'
import { makeSecrets } from '../support/faults/lab/secrets.ts'
import { createWriter } from '../support/faults/lab/writer.ts'
import { seededRandom } from '../support/faults/random.ts'
import { SEED } from '../support/figures.ts'
import { deliver } from '../support/inbox.ts'

const ROUNDS = 12

describe('the other kinds of webhooks of the soak', () => {
  let database: TestDatabase
  let posted: Map<string, PostedMessage>
  const secrets = makeSecrets()

  /** The rules that the checker finds violated. */
  async function violated(): Promise<string[]> {
    const report = createReport()
    await checkEffects({ db: database.db, databaseUrl: database.url, posted, accepted: undefined }, report)
    return report.violations().map(({ rule, samples }) => `${rule}: ${samples[0]}`)
  }

  /** The rules violated when something else had been posted than was. */
  async function violatedWith(is: (message: PostedMessage) => unknown, other: Partial<PostedMessage>) {
    const message = [...posted.values()].find(is)!
    posted.set(message.wamid, { ...message, ...other })
    const rules = (await violated()).map((line) => line.split(':')[0])
    posted.set(message.wamid, message)
    return rules
  }

  beforeAll(async () => {
    database = await createTestDatabase()
    const { db } = database
    await provisionOrgs(db, secrets)
    const population = await createPopulation(db, {
      seed: SEED,
      regulars: 16,
      returners: 4,
      attesters: ROUNDS,
    })
    const random = seededRandom(SEED)
    const writer = createWriter(SEED, random, secrets.text)
    posted = writer.messages
    const log = createLoadLog(writer.messages)
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const kind of random.shuffled(KINDS)) {
        for (const one of kind({ random, population, writer })) {
          await deliver(db, one.body, ...(random.chance(0.2) ? [one.body] : []))
          noteAcknowledged(log, one)
        }
      }
      if (round % 4 !== 0) continue
      const number = random.pick(population.numbers)
      number.laterIds.push(`${number.phoneId}-${round}`)
      await moveNumber(db, number, secrets)
      await removeUser(db, number.orgId, `leaver-${round}`, secrets)
    }
  })

  it('become what they must, without any fault', async () => {
    expect(await violated()).toEqual([])
    const kept = [...posted.values()]
    expect(kept.filter(({ aside }) => aside).length).toBeGreaterThan(ROUNDS * 4)
    expect(kept.filter(({ target }) => target).length).toBeGreaterThanOrEqual(ROUNDS * 2)
    expect(kept.filter(({ person }) => person.key).length).toBeGreaterThan(ROUNDS * 8)
  })

  it('are checked: each wrong outcome is found', async () => {
    // What was posted first may be a placeholder or wait for its chatroom: such a message has no route yet.
    const stored = await database.db.$client.query('select wamid from messages where route is not null')
    const withRoute = new Set(stored.rows.map(({ wamid }) => wamid))
    const routed = ({ wamid, aside, target, person }: PostedMessage) =>
      withRoute.has(wamid) && !aside && !target && !person.key
    expect(await violatedWith(routed, { aside: true })).toContain('asideChangesNothing')
    expect(await violatedWith(routed, { direction: 'echo' })).toContain('speaksAsPosted')
    expect(await violatedWith(routed, { nobody: true })).toContain('ownIsNobody')
    const inRoom = await database.db.$client.query(
      `select r.wamid from messages r join messages t on t.wamid = coalesce(r.payload -> 'reaction' ->> 'message_id',
         r.payload -> 'edit' ->> 'original_message_id', r.payload -> 'revoke' ->> 'original_message_id')
       where r.chatroom_id = t.chatroom_id and t.chatroom_id is not null limit 1`,
    )
    const act = ({ wamid }: PostedMessage) => wamid === inRoom.rows[0].wamid
    const { rows } = await database.db.$client.query(
      'select wamid from messages m where chatroom_id <> (select chatroom_id from messages where wamid = $1) limit 1',
      [inRoom.rows[0].wamid],
    )
    expect(await violatedWith(act, { target: rows[0].wamid })).toContain('actsGoAlong')
  })

  it('leave nothing to users who left', async () => {
    const removed = await readRemoved({ db: database.db })
    expect(removed.map(({ remains }) => remains)).toEqual([[], [], []])
    await database.db.$client.query('update users set released_at = null where removed_at is not null')
    const again = await readRemoved({ db: database.db })
    expect(again.map(({ remains }) => remains)).toEqual(Array(3).fill(['not released']))
  })
})
