import { type Db, inTransaction } from '../db/client.ts'
import { personOfPhone } from './aliases.ts'
import { resolveCustomers } from './resolve-customers.ts'

/** Remembers how WhatsApp spells a phone (E.164) we sent to, unless somebody else is known by that spelling. */
export async function learnSpelling(db: Db, orgId: string, phone: string, waId: string): Promise<void> {
  const names = [{ kind: 'wa_id' as const, value: waId }]
  const person = { ...personOfPhone(orgId, phone), names, passive: true }
  await inTransaction(db, (tx) => resolveCustomers(tx, [person]))
}
