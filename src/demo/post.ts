import { sign } from '../http/signature.ts'
import type { Scene } from './scenes.ts'

/** Posts a delivery to the receiver and returns the HTTP status of its answer. */
export type Post = (delivery: Pick<Scene, 'body' | 'forged'>) => Promise<number>

/** Creates a function that posts deliveries, signed with the app secret, or with a wrong one when `forged` is set. */
export function createSignedPost(webhookUrl: string, appSecret: string): Post {
  return async ({ body, forged }) => {
    const signature = sign(body, forged ? 'not the secret' : appSecret)
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature }
    const response = await fetch(webhookUrl, { method: 'POST', headers, body: new Uint8Array(body) })
    await response.text()
    return response.status
  }
}
