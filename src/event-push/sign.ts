import { Webhook } from 'standardwebhooks'

/** What one attempt signs. `id`: the same in every attempt; `at`: the time of this one; `body`: as it is sent. */
export type Signed = { id: string; at: Date; body: string; secrets: string[] }

/** The headers of Standard Webhooks, with one signature for each secret. */
export function signedHeaders({ id, at, body, secrets }: Signed): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  }
}
