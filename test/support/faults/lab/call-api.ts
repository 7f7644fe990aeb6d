import { mintToken } from '../../../../src/cli/token.ts'
import type { Lab } from './lab.ts'

type Call = { orgId: string; user: string; method: string; path: string; receiver?: number }

const TIMEOUT_MS = 15_000

/** Calls an endpoint below `/v1/org/{orgId}` as an ADMIN; gives the status. */
export async function callApi(lab: Lab, { orgId, user, method, path, receiver = 0 }: Call): Promise<number> {
  const jwt = { secrets: [lab.jwtSecret], jwksUrl: undefined, issuer: undefined, audience: undefined }
  const token = await mintToken({ org: orgId, role: 'ADMIN', user, hours: '12' }, jwt)
  const port = lab.proxies.receivers[receiver]?.port
  const response = await fetch(`http://127.0.0.1:${port}/v1/org/${orgId}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  await response.arrayBuffer()
  return response.status
}
