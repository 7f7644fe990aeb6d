import type { Db } from '../db/client.ts'
import { createSampleCustomers } from './sample-customers.ts'
import { createSampleShop, type SampleOrg } from './sample-org.ts'
import { createPost } from './scenes.ts'
import { type Audience, startTraffic } from './traffic.ts'

/**
 * Fills the console: sample customers of two orgs who keep writing, one parked delivery (its number is not provisioned),
 * and one dead letter (its content is broken). Returns the function that stops the traffic.
 */
export async function keepDemoAlive(
  db: Db,
  { org, run, now, secretsKey }: { org: SampleOrg; run: string; now: Date; secretsKey: Buffer | undefined },
  send: (body: Buffer) => Promise<unknown>,
): Promise<() => void> {
  const audiences = await createAudiences(db, org, await createSampleShop(db, run, secretsKey), now)
  const text = { id: `wamid.${run}.early`, timestamp: '1790000000', type: 'text', text: { body: 'Hi' } }
  const unprovisioned = { ...org, phoneId: `unprovisioned-${run}` }
  await send(createPost(unprovisioned, [{ ...text, from: '919810000009' }]))
  await send(Buffer.from('{"object":"whatsapp_business_account","entry":"broken on purpose"}'))
  return startTraffic(db, audiences, send)
}

/** Creates the sample customers of both orgs, with Indian and British phones. */
export async function createAudiences(
  db: Db,
  org: SampleOrg,
  shop: SampleOrg,
  now: Date,
): Promise<Audience[]> {
  const populate = async (org: SampleOrg, areaCode: string): Promise<Audience> => {
    const customers = await createSampleCustomers(db, org, areaCode, now)
    return { org, areaCode, customers }
  }
  return [await populate(org, '+9198200'), await populate(shop, '+4477009')]
}
