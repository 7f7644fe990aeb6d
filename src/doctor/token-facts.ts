import { z } from 'zod'
import type { GraphGet } from './graph-get.ts'

const tokenFacts = z.object({
  data: z.object({
    app_id: z.coerce.string().optional(),
    is_valid: z.boolean(),
    expires_at: z.number().default(0),
    scopes: z.array(z.string()).default([]),
  }),
})

/** What Meta says about a token. `expires_at` is in seconds since 1970, and 0 when it never expires. */
export type TokenFacts = z.infer<typeof tokenFacts>['data']

/** Asks Meta what a token is (`debug_token`); gives the reason when it does not say so. */
export async function readTokenFacts(graph: GraphGet, token: string): Promise<TokenFacts | string> {
  const answer = await graph(`debug_token?input_token=${encodeURIComponent(token)}`, token)
  if (!answer.ok) return answer.error
  const parsed = tokenFacts.safeParse(answer.body)
  return parsed.success ? parsed.data.data : 'Meta gave an answer that Usher cannot read'
}
