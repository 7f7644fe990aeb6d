import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Context } from 'oidc-provider'
import { atEndOf } from './at-end.ts'

export const CLIENT = { id: 'usher', secret: 'canary-client-secret' }

/** What the provider says of the person who logs in there; without `email_verified` the address is not verified. */
export type Claims = { email?: string; email_verified?: boolean; roles?: string[]; orgs?: string[] }

/** A real OpenID provider whose only person logs in without being asked, until the end of the test file. */
export async function startProvider() {
  const state = { claims: {} as Claims, isDown: false, redirectUris: [] as string[] }
  let handle: (req: IncomingMessage, res: ServerResponse) => unknown = () => undefined
  const server = createServer((req, res) => (state.isDown ? req.socket.destroy() : handle(req, res)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEndOf('file', () => server.close().closeAllConnections())
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    set: (change: Partial<typeof state>) => void Object.assign(state, change),
    /** Knows a client that comes back to this address. */
    register(redirectUri: string) {
      const provider = new Provider(
        issuer,
        configurationOf(
          redirectUri,
          () => state.claims,
          () => provider,
        ),
      )
      const callback = provider.callback()
      handle = (req, res) =>
        req.url?.startsWith('/interaction/')
          ? provider.interactionFinished(req, res, { login: { accountId: 'account-1' } })
          : callback(req, res)
    },
  }
}

function configurationOf(redirectUri: string, claims: () => Claims, provider: () => Provider): object {
  return {
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirectUri] }],
    cookies: { keys: ['a key of the tests'] },
    claims: { openid: ['sub', 'roles', 'orgs'], email: ['email', 'email_verified'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_ctx: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...claims() }) }),
    async loadExistingGrant({ oidc: { client, session } }: Context) {
      const { Grant } = provider()
      const grant = new Grant({ accountId: session.accountId, clientId: client.clientId })
      grant.addOIDCScope('openid email')
      await grant.save()
      return grant
    },
  }
}
