/**
 * What follows from an error code of Meta's, whether it comes in the answer to a send or in a status
 * (docs/meta.md#error-codes). `stop_number`: nothing leaves from the number until it is provisioned again. The other
 * effects but `retry` end the message as failed: `stop_marketing`, the customer opted out of marketing;
 * `pause_marketing`, no marketing to this customer for 24 h.
 */
export type ErrorEffect =
  | 'retry'
  | 'retry_slowly'
  | 'stop_number'
  | 'stop_marketing'
  | 'pause_marketing'
  | 'fail'

/** The codes with an effect of their own. Any other code, also one that Meta adds later, fails its message alone. */
export const ERROR_EFFECTS: Readonly<Record<Exclude<ErrorEffect, 'fail'>, readonly number[]>> = {
  retry: [1, 2, 4, 80007, 130429, 131000, 131016, 131057, 133004],
  retry_slowly: [131056],
  stop_number: [0, 3, 190, 368, 131031, 131042, 131045, 133010],
  stop_marketing: [131050],
  pause_marketing: [131049],
}

/** Permission is missing: to the account, or to one template, for example one with a Flow whose key is not allowed. */
export const PERMISSION_CODES: readonly number[] = [10, 131005]
const isPermission = (code: number) => PERMISSION_CODES.includes(code) || (code >= 200 && code <= 299)

const EFFECTS = new Map(
  Object.entries(ERROR_EFFECTS).flatMap(([effect, codes]) =>
    codes.map((code) => [code, effect as ErrorEffect] as const),
  ),
)

/**
 * The effect of a code for a message. A missing permission concerns the account where it refuses free text, which needs
 * no permission of its own; where it refuses a template, that message alone fails.
 */
export function effectOf(code: number, isTemplate: boolean): ErrorEffect {
  if (isPermission(code)) return isTemplate ? 'fail' : 'stop_number'
  return EFFECTS.get(code) ?? 'fail'
}

/** True where a code has an effect on the customer, not only on the message or the number. */
export function concernsCustomer(codes: number[]): boolean {
  return codes.some((code) => ['stop_marketing', 'pause_marketing'].includes(effectOf(code, false)))
}

/** The codes in `errors[]` of a status; anything that is no error with a code is passed over. */
export function codesOf(errors: unknown): number[] {
  if (!Array.isArray(errors)) return []
  return errors.flatMap((error: unknown) => {
    const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
    return Number.isSafeInteger(code) || (typeof code === 'string' && /^\d{1,9}$/.test(code))
      ? [Number(code)]
      : []
  })
}

/** For how long Meta takes no marketing messages to a customer after error 131049, at least. */
export const MARKETING_PAUSE = `interval '24 hours'`
