import { codeOf } from './check.ts'

export type GraphAnswer = { ok: true; body: unknown } | { ok: false; error: string }

/** Asks Meta's Graph API for an object; never rejects. `error` is Meta's code or that of the socket, without values. */
export type GraphGet = (path: string, token: string) => Promise<GraphAnswer>

const DEADLINE_MS = 10_000

/** Creates a client that reads from the Graph API, or from a stand-in. */
export function createGraphGet({ url, version }: { url: string; version: string }): GraphGet {
  return async (path, token) => {
    try {
      const response = await fetch(`${url}/${version}/${path}`, {
        headers: { authorization: `Bearer ${token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      const body = (await response.json().catch(() => undefined)) as
        | { error?: { code?: unknown } }
        | undefined
      if (response.ok && body !== undefined) return { ok: true, body }
      return { ok: false, error: `Graph error ${Number(body?.error?.code)} (HTTP ${response.status})` }
    } catch (error) {
      return { ok: false, error: `no answer: ${codeOf(error)}` }
    }
  }
}
