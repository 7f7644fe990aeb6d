import { columns, text } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'

/** A person's phone, as digits, at a number (`phone_number_id`) of some org. */
export type PhoneAtNumber = { phoneId: string; digits: string }

const PHONES = columns<PhoneAtNumber>({ phone_id: text((p) => p.phoneId), digits: text((p) => p.digits) })

/**
 * Of these phones, those that are numbers of the org that owns the number they wrote to: a company does not become its
 * own customer (docs/rules.md#messages-that-take-no-part-in-routing).
 */
export function readOwnNumbers(phones: PhoneAtNumber[]): Statement<Set<string>> {
  return over(PHONES, phones, {
    name: 'read-own-numbers',
    text: `select k.phone_id as "phoneId", k.digits
      from ${PHONES.as('k')}
      join meta_objects m on m.kind = 'phone' and m.id = k.phone_id
      join waba_phones p on p.org_id = m.org_id and p.digits = k.digits`,
    read: (rows: PhoneAtNumber[]) => new Set(rows.map(phoneKey)),
  })
}

/** One string for a phone at a number, fit as a map key. */
export function phoneKey({ phoneId, digits }: PhoneAtNumber): string {
  return `${phoneId}\n${digits}`
}
