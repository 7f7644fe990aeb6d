import { mintToken } from '../../../../src/cli/token.ts'
import { LASTING_HOURS } from './clock.ts'
import type { Lab } from './lab.ts'

type Caller = { orgId: string; user: string; path: string }
type Call = Caller & { method: string; receiver?: number }

const TIMEOUT_MS = 15_000

/** Calls an endpoint below `/v1/org/{orgId}` as an ADMIN; gives the status. */
export async function callApi(lab: Lab, call: Call): Promise<number> {
  const response = await send(lab, call)
  await response.arrayBuffer()
  return response.status
}

/** Reads something below `/v1/org/{orgId}` as an ADMIN; gives the body of the answer, whatever its status. */
export async function readApi<T>(lab: Lab, caller: Caller): Promise<T> {
  const response = await send(lab, { ...caller, method: 'GET' })
  return (await response.json()) as T
}

async function send(lab: Lab, { orgId, user, method, path, receiver = 0 }: Call): Promise<Response> {
  const jwt = { secrets: [lab.jwtSecret], jwksUrl: undefined, issuer: undefined, audience: undefined }
  const token = await mintToken({ org: orgId, role: 'ADMIN', user, hours: LASTING_HOURS }, jwt)
  const port = lab.proxies.receivers[receiver]?.port
  return fetch(`http://127.0.0.1:${port}/v1/org/${orgId}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
}
