import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { phoneDigits } from '../rules/phone-digits.ts'
import { personOfPhone } from './person.ts'
import { resolveCustomers } from './resolve-customers.ts'

/** Remembers how WhatsApp spells a phone (E.164) that a message was sent to, unless another customer has that name. */
export async function learnSpelling(db: Db, orgId: string, phone: string, waId: string): Promise<void> {
  const names = [{ kind: 'wa_id' as const, value: phoneDigits(waId) ?? waId }]
  const person = { ...personOfPhone(orgId, phone), names, passive: true }
  await inRetriedTransaction(db, (tx) => resolveCustomers(tx, [person]))
}
