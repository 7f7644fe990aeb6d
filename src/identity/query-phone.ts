import { z } from 'zod'
import { toLookupPhone } from './e164.ts'

/** A phone in a query string, in any of its spellings, with `+`, `00` or neither; an unescaped plus arrives as a space. */
export const queryPhone = z.string().transform((value, ctx) => {
  const phone = toLookupPhone(value.trim().replace(/^\+?(00)?/, '+'))
  if (phone) return phone
  ctx.addIssue({ code: 'custom', message: 'is no phone number (+ and digits)' })
  return z.NEVER
})
