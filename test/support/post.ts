import { sign } from '../../src/http/signature.ts'

/** The app secret of the processes and apps that tests start. */
export const APP_SECRET = 'e2e-app-secret'

/** Posts a delivery to the receiver at a base URL, signed as Meta signs it, and gives the status of the answer. */
export async function postDelivery(url: string, body: Buffer, secret = APP_SECRET): Promise<number> {
  const response = await fetch(`${url}/webhooks/whatsapp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': sign(body, secret) },
    body: new Uint8Array(body),
  })
  await response.text()
  return response.status
}
