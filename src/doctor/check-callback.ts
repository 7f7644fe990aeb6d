import { randomUUID } from 'node:crypto'
import { type Check, codeOf, fail, fine, warn } from './check.ts'

const DEADLINE_MS = 10_000
const NAME = 'Callback URL'

/** Sends the handshake of Meta to the callback URL, with the first verify token. */
export async function checkCallback(url: string, [token]: string[]): Promise<Check> {
  if (!URL.canParse(url)) return fail(NAME, 'is not a URL', 'give the whole URL, as it is entered at Meta')
  if (token === undefined) return fail(NAME, 'cannot be tried without META_VERIFY_TOKEN', 'set it')
  const challenge = randomUUID()
  const address = new URL(url)
  address.searchParams.set('hub.mode', 'subscribe')
  address.searchParams.set('hub.verify_token', token)
  address.searchParams.set('hub.challenge', challenge)
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS)
    const response = await fetch(address, { redirect: 'manual', signal })
    return judge(address, response.status, (await response.text()) === challenge)
  } catch (error) {
    return fail(
      NAME,
      `does not answer: ${codeOf(error)}`,
      'check DNS, the proxy, its certificate and firewalls',
    )
  }
}

function judge({ protocol }: URL, status: number, isEcho: boolean): Check {
  if (status === 403)
    return fail(NAME, 'answers 403', 'that process has another META_VERIFY_TOKEN, or a proxy drops the query')
  if (status !== 200)
    return fail(NAME, `answers ${status}`, 'lead /webhooks/whatsapp to PORT without a redirect or a login')
  if (!isEcho) return fail(NAME, 'answers 200 without the challenge', 'it is not Usher that answers there')
  if (protocol !== 'https:')
    return warn(NAME, 'answers the handshake, without TLS', 'Meta calls https addresses only')
  return fine(NAME, 'answers the handshake')
}
