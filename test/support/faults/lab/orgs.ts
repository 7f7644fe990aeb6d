import type { Db } from '../../../../src/db/client.ts'
import { provision } from '../../../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../../../src/orgs/provision-file.ts'
import type { TestOrg } from '../../org.ts'

/** A number of an org, as Meta's webhooks name it. */
export type LabNumber = {
  orgId: string
  wabaId: string
  /** Its first id, under which rows are stored. */
  phoneId: string
  /** The ids that it has got since then, the present one last. */
  laterIds: string[]
}

export type LabSecrets = { secretsKey: Buffer; accessToken: string }

/** This org holds the messages of unknown senders. */
export const HOLD: TestOrg = {
  id: 'org-hold',
  wabaId: 'waba-hold',
  wabaIds: ['waba-hold'],
  phones: ['phone-hold-1', 'phone-hold-2'],
}
/** This org creates a contact and a chatroom for an unknown sender. */
export const CREATE: TestOrg = {
  id: 'org-create',
  wabaId: 'waba-create',
  wabaIds: ['waba-create'],
  phones: ['phone-create-1', 'phone-create-2'],
}
export const ORGS = [HOLD, CREATE]

/** Nobody has provisioned this number at the start: its deliveries are parked until `provisionLateNumber`. */
export const LATE_NUMBER: LabNumber = {
  ...{ orgId: HOLD.id, wabaId: HOLD.wabaId },
  phoneId: 'phone-late',
  laterIds: [],
}

/** Contacts expire, and chatrooms become inactive, after so many days. */
export const LIFECYCLE_DAYS = 30

/** Users of each org who have chatrooms, and who leave one after another in a soak. */
export const LEAVERS = 20
export const LEAVER = 'leaver-'
const leavers = Array.from({ length: LEAVERS }, (_, i) => `${LEAVER}${i}`)

export function provisionOrgs(db: Db, secrets: LabSecrets): Promise<unknown> {
  return provision(db, provisionFile(ORGS, secrets), secrets.secretsKey)
}

export function provisionLateNumber(db: Db, secrets: LabSecrets): Promise<unknown> {
  const withLateNumber = { ...HOLD, phones: [...HOLD.phones, LATE_NUMBER.phoneId] }
  return provision(db, provisionFile([withLateNumber], secrets), secrets.secretsKey)
}

export function numbersOf({ id, wabaId, phones }: TestOrg): LabNumber[] {
  return phones.map((phoneId) => ({ orgId: id, wabaId, phoneId, laterIds: [] }))
}

/** The phone number behind an id, as digits. */
export function displayOf(phoneId: string): string {
  const ids = [...ORGS.flatMap(({ phones }) => phones), LATE_NUMBER.phoneId]
  return String(15_559_000_000 + ids.indexOf(phoneId))
}

/** The number gets another id at Meta; messages may come to it from now on, and it is provisioned a while later. */
export function moveNumber(db: Db, number: LabNumber, secrets: LabSecrets): Promise<unknown> {
  const { orgId, wabaId, phoneId, laterIds } = number
  const [id, replaces] = [laterIds.at(-1), laterIds.at(-2) ?? phoneId]
  const phones = [{ id, replaces, display_phone_number: `+${displayOf(phoneId)}` }]
  const wabas = [{ id: wabaId, name: 'Main', access_token: secrets.accessToken, phones }]
  return provisionOrg(db, { id: orgId, wabas }, secrets)
}

/** Removes a user by the provision file. */
export function removeUser(db: Db, orgId: string, userId: string, secrets: LabSecrets): Promise<unknown> {
  return provisionOrg(db, { id: orgId, users: [{ id: userId, removed: true }] }, secrets)
}

function provisionOrg(db: Db, org: { id: string } & Record<string, unknown>, secrets: LabSecrets) {
  const file = parseProvisionFile(JSON.stringify({ orgs: [{ name: org.id, ...org }] }))
  return provision(db, file, secrets.secretsKey)
}

function provisionFile(orgs: TestOrg[], { accessToken }: LabSecrets) {
  const entries = orgs.map((org) => ({
    id: org.id,
    name: org.id,
    settings: {
      auto_reply_text: 'This chat is closed.',
      // Each message to an expired chatroom gets a reply, also in a burst of them.
      auto_reply_burst: null,
      unknown_sender: org.id === CREATE.id ? 'create' : 'hold',
      expiry_days: LIFECYCLE_DAYS,
      inactivity_days: LIFECYCLE_DAYS,
    },
    wabas: [
      {
        id: org.wabaId,
        name: 'Main',
        access_token: accessToken,
        phones: org.phones.map((id) => ({ id, display_phone_number: `+${displayOf(id)}` })),
      },
    ],
    users: ['ann', 'bob', ...(orgs.length > 1 ? leavers : [])].map((id) => ({
      id,
      email: `${id}@${org.id}.test`,
      name: id,
    })),
  }))
  return parseProvisionFile(JSON.stringify({ orgs: entries }))
}
