import { v7 as uuidv7 } from 'uuid'
import { type Db, inTransaction } from '../db/client.ts'
import { chatrooms, contacts, contactWabas, events } from '../db/schema/index.ts'
import { personOfPhone } from '../identity/aliases.ts'
import { resolveCustomers } from '../identity/resolve-customers.ts'
import { provision } from '../orgs/provision.ts'
import { parseProvisionFile } from '../orgs/provision-file.ts'
import { REPLY, type SampleOrg } from './sample-org.ts'

/** One customer of the crowd, with the chatroom that it has, if any. */
export type Member = { phone: string; name: string; roomId: string | undefined }

const HOUR_MS = 3_600_000
const SIZE = 56
const NAMES = ['Mira', 'Jon', 'Sara', 'Theo', 'Lena', 'Ravi', 'Noor', 'Finn', 'Aiko', 'Luis', 'Emma', 'Omar']

/** An org that makes chatrooms for strangers, beside the one that holds their messages. */
export async function createOpenOrg(db: Db, run: string, secretsKey: Buffer | undefined): Promise<SampleOrg> {
  const org = { id: `shop-${run}`, wabaId: `shop-waba-${run}`, phoneId: `shop-phone-${run}` }
  const phones = [{ id: org.phoneId, display_phone_number: '+44 20 7946 0018' }]
  const wabas = [{ id: org.wabaId, name: 'Shop WABA', access_token: 'sample-token', phones }]
  const settings = {
    ...{ inactivity_days: 14, expiry_days: 365, unknown_sender: 'create' },
    ...{ auto_reply_text: REPLY, auto_reply_min_interval_seconds: 60 },
  }
  const file = { orgs: [{ id: org.id, name: 'Sample shop', settings, wabas }] }
  await provision(db, parseProvisionFile(JSON.stringify(file)), secretsKey)
  return org
}

/** Customers whose chatrooms came to be, fell asleep and expired over the last two weeks, as the audit tells. */
export async function createCrowd(db: Db, org: SampleOrg, areaCode: string, now: Date): Promise<Member[]> {
  return inTransaction(db, async (tx) => {
    const members: Member[] = []
    for (let i = 0; i < SIZE; i += 1) members.push(await createMember(tx, org, areaCode, i, now))
    return members
  })
}

async function createMember(tx: Db, org: SampleOrg, areaCode: string, i: number, now: Date): Promise<Member> {
  const phone = `${areaCode}${String(10_000 + i * 37)}`
  const name = `${NAMES[i % NAMES.length]} (lead ${100 + i})`
  const [orgId, wabaPhoneId] = [org.id, org.phoneId]
  const [customerId = ''] = await resolveCustomers(tx, [personOfPhone(orgId, phone)])
  if (i % 9 === 8) return { phone, name, roomId: undefined }
  const [roomId, contactId] = [uuidv7(), uuidv7()]
  const ago = (hours: number) => new Date(now.getTime() - hours * HOUR_MS)
  const createdAt = ago(6 + ((i * 53) % 310))
  const endedAt = new Date((createdAt.getTime() + now.getTime()) / 2)
  const end = (['active', 'active', 'active', 'deactivated', 'expired', 'active', 'deactivated'] as const)[
    i % 7
  ]
  const times = {
    ...{ createdAt, activatedAt: createdAt },
    ...(end === 'deactivated' && { deactivatedAt: endedAt, deactivationReason: 'FORCE_DEACTIVATE' as const }),
    ...(end === 'expired' && { expiredAt: endedAt }),
  }
  await tx
    .insert(contacts)
    .values({ orgId, id: contactId, customerId, crmId: name, phone, createdAt, expiredAt: times.expiredAt })
  await tx.insert(contactWabas).values({ orgId, contactId, wabaPhoneId })
  const whose = { orgId, contactId, customerId }
  await tx.insert(chatrooms).values({ ...whose, id: roomId, wabaPhoneId, displayName: name, ...times })
  const audit = (kind: string, at: Date) => ({
    ...{ ...whose, id: uuidv7({ msecs: at.getTime() }), chatroomId: roomId },
    ...{ kind, actor: 'demo', reason: 'part of the sample', createdAt: at },
  })
  const endings = end === undefined || end === 'active' ? [] : [audit(`chatroom.${end}`, endedAt)]
  await tx.insert(events).values([audit('chatroom.created', createdAt), ...endings])
  return { phone, name, roomId }
}
