import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { sign } from '../../../src/http/signature.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 200 })
/** Meta gives up a request after 10 s. */
const ANSWER_MS = 10_000

/** Posts a signed body once; gives the status, 0 when there was no answer within 10 s. */
export async function postOnce(url: string, body: Buffer, secret: string): Promise<number> {
  const headers = { 'x-hub-signature-256': sign(body, secret), 'content-length': body.length }
  const req = request(`${url}/webhooks/whatsapp`, { method: 'POST', headers, agent })
  req.setTimeout(ANSWER_MS, () => req.destroy())
  req.end(body)
  try {
    const [res] = await once(req, 'response')
    res.resume()
    await once(res, 'end')
    return res.statusCode
  } catch {
    return 0
  }
}

/** Answers by status, and the time that each took, in ms. */
export type Tally = { answers: Map<number, number>; ms: number[] }

export const newTally = (): Tally => ({ answers: new Map(), ms: [] })

export function count(tally: Tally, status: number, ms: number): void {
  tally.ms.push(ms)
  tally.answers.set(status, (tally.answers.get(status) ?? 0) + 1)
}

/** The time in ms that all but a share of 1 - `share` stay under, rounded. */
export function quantile(times: number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}
