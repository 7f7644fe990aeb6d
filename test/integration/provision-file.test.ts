import { describe, expect, it } from 'vitest'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { readOrg } from '../support/leads.ts'
import { createOrg, provisionOrg, type TestOrg } from '../support/org.ts'
import { refusalMessageOf, unchanged } from '../support/refusal.ts'

const { db } = await createTestDatabase()

const SETTINGS = {
  inactivity_days: 30,
  expiry_days: 180,
  auto_reply_text: 'closed',
  auto_reply_min_interval_seconds: 60,
  unknown_sender: 'create',
  room_history_visible: false,
  deactivate_on_opt_out: true,
  reactions_reactivate: true,
  auto_reply_burst: null,
  stop_words: ['STOP'],
  delegate: { user_id: 'ann' },
}

const nameOf = (org: TestOrg) => `Org ${org.id.slice(4)}`

describe('a provision file', () => {
  it('without settings changes none of them', async () => {
    const org = await createOrg(db, SETTINGS)
    await unchanged(db, org, () => provisionOrg(db, { id: org.id, name: nameOf(org) }))
    await unchanged(db, org, () => provisionOrg(db, { id: org.id, name: nameOf(org), settings: {} }))
  })

  it('with one setting changes this one alone, whichever it is, with an audit row', async () => {
    const changes = {
      ...{ inactivity_days: null, expiry_days: 90, auto_reply_text: null, auto_reply_burst: 5 },
      ...{ auto_reply_min_interval_seconds: 0, unknown_sender: 'hold', room_history_visible: true },
      ...{ deactivate_on_opt_out: false, reactions_reactivate: false, stop_words: [], delegate: null },
    }
    expect(Object.keys(changes).toSorted()).toEqual(Object.keys(SETTINGS).toSorted())
    for (const [name, value] of Object.entries(changes)) {
      const org = await createOrg(db, SETTINGS)
      await provisionOrg(db, { id: org.id, name: nameOf(org), settings: { [name]: value } })
      expect(await eventsOfOrg(db, org.id, 'org.settings_changed')).toMatchObject([
        { actor: 'provision', before: SETTINGS, after: { ...SETTINGS, [name]: value } },
      ])
    }
  })

  it('gives a new org the defaults of the settings that it leaves out', async () => {
    await provisionOrg(db, { id: 'new-org', settings: { inactivity_days: 7 } })
    expect(await readOrg(db, { id: 'new-org' } as TestOrg)).toMatchObject({
      ...{ inactivityDays: 7, expiryDays: null, unknownSender: 'hold', roomHistoryVisible: true },
      ...{ autoReplyBurst: 20, stopWords: [], delegateUserId: null },
    })
  })

  it('changes a name alone, and writes nothing when it is applied again', async () => {
    const org = await createOrg(db, SETTINGS)
    await provisionOrg(db, { id: org.id, name: 'Other' })
    expect(await readOrg(db, org)).toMatchObject({ name: 'Other', inactivityDays: 30 })
    await unchanged(db, org, () => provisionOrg(db, { id: org.id, name: 'Other' }))
  })

  it('that is applied by two processes at once changes the settings once, and creates an org once', async () => {
    const org = await createOrg(db)
    const settings = { expiry_days: 9 }
    const apply = (id: string) => provisionOrg(db, { id, settings })
    await Promise.all(Array.from({ length: 6 }, () => apply(org.id)))
    expect(await eventsOfOrg(db, org.id, 'org.settings_changed')).toHaveLength(1)
    await Promise.all(Array.from({ length: 6 }, () => apply('created-at-once')))
    expect(await readOrg(db, { id: 'created-at-once' } as TestOrg)).toMatchObject({ expiryDays: 9 })
  })
})

describe('a provision file is refused, and the error names the id,', () => {
  const number = (id: string) => ({ id, display_phone_number: '+1' })
  const waba = (id: string, ...phones: object[]) => ({ id, name: id, phones })
  const user = (id: string) => ({ id, email: `${id}@x.test`, name: id })
  const group = (id: string) => ({ id, name: id })
  const affiliate = (crm_id: string) => ({ crm_id, phone: '+919810000000', remote_phone_id: 'n' })
  it.each([
    ['a WABA', { wabas: [waba('w'), waba('w')] }, 'the WABA w is given twice'],
    ['a number', { wabas: [waba('w', number('n'), number('n'))] }, 'the number n is given twice'],
    ['a number', { wabas: [waba('v', number('n')), waba('w', number('n'))] }, 'the number n is given twice'],
    ['a user', { users: [user('u'), user('v'), user('u')] }, 'the user u is given twice'],
    ['a user', { users: [user('u'), { id: 'u', removed: true }] }, 'the user u is given twice'],
    ['a group', { groups: [group('g'), group('g')] }, 'the group g is given twice'],
    [
      'an affiliate',
      { wabas: [waba('w', number('n'))], affiliates: [affiliate('a'), affiliate('a')] },
      'the affiliate a is given twice',
    ],
  ])('if %s is given twice', async (_what, parts, message) => {
    expect(await refusalMessageOf(() => provisionOrg(db, { id: 'twice', ...parts }))).toContain(message)
  })

  it('if an org is given twice', async () => {
    const file = JSON.stringify({ orgs: ['a', 'b', 'a'].map((id) => ({ id, name: id })) })
    expect(() => parseProvisionFile(file)).toThrow('the org a is given twice')
  })
})
