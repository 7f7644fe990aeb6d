import { z } from 'zod'
import { type Check, fail, fine, warn } from './check.ts'
import type { GraphAnswer, GraphGet } from './graph-get.ts'

const apps = z.object({
  data: z.array(z.object({ whatsapp_business_api_data: z.object({ id: z.coerce.string() }) })),
})

/** Asks whether the WABA is subscribed to the app of the token; without that, Meta calls no webhook for it. */
export async function checkSubscribedApp(
  graph: GraphGet,
  wabaId: string,
  token: string,
  appId: string | undefined,
): Promise<Check> {
  const name = `WABA ${wabaId}: subscribed to the app`
  const answer = await graph(`${encodeURIComponent(wabaId)}/subscribed_apps`, token)
  const parsed = answer.ok ? apps.safeParse(answer.body) : undefined
  if (!parsed?.success) return unread(name, answer)
  const ids = parsed.data.data.map((one) => one.whatsapp_business_api_data.id)
  const isSubscribed = appId === undefined ? ids.length > 0 : ids.includes(appId)
  return isSubscribed
    ? fine(name, 'yes')
    : fail(name, 'no', 'POST /<WABA id>/subscribed_apps with its token (docs/operate.md, the first day)')
}

const subscriptions = z.object({
  data: z.array(
    z.object({
      object: z.string(),
      active: z.boolean().default(true),
      fields: z.array(z.object({ name: z.string() })).default([]),
    }),
  ),
})

/** Asks which fields the app is subscribed to. Only the app itself may ask, with its id and secret as the token. */
export async function checkFields(
  graph: GraphGet,
  waba: string,
  appId: string | undefined,
  appSecrets: string[],
): Promise<Check> {
  const name = `${waba}: webhook fields`
  let answer: GraphAnswer = { ok: false, error: 'no app secret is set, or Meta does not name the app' }
  for (const secret of appId === undefined ? [] : appSecrets) {
    answer = await graph(`${appId}/subscriptions`, `${appId}|${secret}`)
    if (answer.ok) break
  }
  const parsed = answer.ok ? subscriptions.safeParse(answer.body) : undefined
  if (!parsed?.success) return unread(name, answer)
  const own = parsed.data.data.find(({ object }) => object === 'whatsapp_business_account')
  const fields = own?.active ? own.fields.map((field) => field.name).sort() : []
  return fields.includes('messages')
    ? fine(name, fields.join(', '))
    : fail(name, 'messages is not subscribed', 'subscribe it in the App Dashboard (WhatsApp, Configuration)')
}

function unread(name: string, answer: GraphAnswer): Check {
  return warn(name, answer.ok ? 'the answer cannot be read' : answer.error, 'look in the App Dashboard')
}
