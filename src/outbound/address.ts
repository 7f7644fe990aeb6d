/** The names to which a message may be addressed; see `Send`. */
type Names = { waId: string | null; phone: string | null; userId: string | null }

/** Meta's address of a message. Where both are given, Meta takes `to`. */
export type Address = { to?: string; recipient?: string }

/** The error of a message that has no address. */
export const NO_ADDRESS =
  'no address: no phone of the customer is known, and no BSUID was seen at a number of this WABA'

/**
 * The address of a message: the phone, with a plus, or Meta may add a country code; and the BSUID of the number's own
 * business portfolio, which alone is an address where no phone is known (docs/rules.md#addressing). Undefined if neither
 * is known.
 */
export function addressOf({ waId, phone, userId }: Names): Address | undefined {
  const to = waId ? `+${waId}` : phone
  if (!to && !userId) return undefined
  return { ...(to && { to }), ...(userId && { recipient: userId }) }
}
