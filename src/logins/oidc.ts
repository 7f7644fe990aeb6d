import * as oidc from 'openid-client'
import { z } from 'zod'
import type { OidcConfig } from '../config.ts'
import { type Identity, identityOf } from './claims.ts'
import { createSealed } from './sealed.ts'

/** Logins at an OpenID provider. */
export type Oidc = {
  /** The address at the provider to which the browser goes, and a token that it keeps until it comes back. */
  begin(next: string): Promise<{ url: string; memo: string }>
  /** Who came back with the query string `search`, and where the login leads. */
  end(memo: string, search: string): Promise<{ identity: Identity | undefined; next: string }>
}

/** Thrown by `begin` and `end`. `reason` is for the log; it holds no secret, no code and no name. */
export class OidcError extends Error {
  override name = 'OidcError'
  readonly reason: string

  constructor(reason: string, options?: ErrorOptions) {
    super(`the login at the provider failed: ${reason}`, options)
    this.reason = reason
  }
}

/** How long somebody may take at the provider. */
const MEMO_SECONDS = 600
const TIMEOUT_SECONDS = 5
/** The provider's document is read again after this time. */
const MAX_AGE_MS = 3_600_000

const memoShape = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), next: z.string() })

/** Logs in by the authorization code flow with PKCE, `state` and `nonce`. The provider is asked only when somebody logs in. */
export function createOidc(settings: OidcConfig, secretsKey: Buffer): Oidc {
  const { redirectUri, scope, claims } = settings
  const memos = createSealed(secretsKey, { purpose: 'logins at the provider', shape: memoShape })
  const provider = createDiscovery(settings)
  return {
    begin: async (next) => {
      const config = await provider()
      const memo = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        next,
      }
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope,
        state: memo.state,
        nonce: memo.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(memo.verifier),
        code_challenge_method: 'S256',
      })
      return { url: url.href, memo: await memos.seal(memo, MEMO_SECONDS) }
    },
    end: async (token, search) => {
      const memo = await memos.open(token)
      if (!memo) throw new OidcError('it took longer than 10 minutes, or the browser keeps no cookies')
      const config = await provider()
      return {
        identity: identityOf(await readClaims(config, redirectUri + search, memo), claims),
        next: memo.next,
      }
    },
  }
}

/** The claims of the ID token, whose signature is checked, and of the provider's userinfo, if it has any. */
async function readClaims(
  config: oidc.Configuration,
  currentUrl: string,
  { state, nonce, verifier }: z.infer<typeof memoShape>,
): Promise<object> {
  try {
    const tokens = await oidc.authorizationCodeGrant(config, new URL(currentUrl), {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (!claims) throw new OidcError('no ID token')
    if (config.serverMetadata().userinfo_endpoint === undefined) return claims
    return { ...(await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)), ...claims }
  } catch (error) {
    throw toOidcError(error)
  }
}

/** Reads the provider's document when it is needed, and again if that failed or is an hour ago. */
function createDiscovery({ issuer, clientId, clientSecret }: OidcConfig): () => Promise<oidc.Configuration> {
  let known: { config: Promise<oidc.Configuration>; at: number } | undefined
  const execute = [
    oidc.enableNonRepudiationChecks,
    ...(issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : []),
  ]
  return async () => {
    const now = performance.now()
    if (!known || now - known.at > MAX_AGE_MS) {
      const config = oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, {
        execute,
        timeout: TIMEOUT_SECONDS,
      })
      known = { config, at: now }
      config.catch(() => {
        known = undefined
      })
    }
    try {
      return await known.config
    } catch (error) {
      throw toOidcError(error)
    }
  }
}

/** The provider's own word, such as `access_denied`, or the code of the library. */
function toOidcError(cause: unknown): OidcError {
  if (cause instanceof OidcError) return cause
  const { error, code, name } = cause as { error?: unknown; code?: unknown; name?: unknown }
  const word = [error, code, name].find((one) => typeof one === 'string' && /^[\w-]{1,60}$/.test(one))
  return new OidcError(String(word ?? 'unknown error'), { cause })
}
