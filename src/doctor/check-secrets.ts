import type { Config } from '../config.ts'
import { type Check, fail, fine, warn } from './check.ts'

type Secrets = Pick<Config, 'meta' | 'jwt' | 'secretsKey'>

/** Judges the form of the secrets, and whether they are there. Nothing of their content is in the answer. */
export function checkSecrets({ meta, jwt, secretsKey }: Secrets): Check[] {
  return [
    checkAppSecrets(meta.appSecrets),
    meta.verifyTokens.length > 0
      ? fine('META_VERIFY_TOKEN', `${meta.verifyTokens.length} set`)
      : fail('META_VERIFY_TOKEN', 'not set', 'make one up (openssl rand -hex 16) and enter it at Meta too'),
    jwt.secrets.length > 0 || jwt.jwksUrl !== undefined
      ? fine('Keys of the API', jwt.jwksUrl === undefined ? 'JWT_SECRET' : 'JWT_JWKS_URL')
      : warn('Keys of the API', 'none', 'set JWT_SECRET or JWT_JWKS_URL; without one the API answers 401'),
    secretsKey
      ? fine('SECRETS_KEY', 'set')
      : warn('SECRETS_KEY', 'not set', 'set it (openssl rand -base64 32); without it nothing can be sent'),
  ]
}

/** Meta's app secrets are 32 hexadecimal digits. */
function checkAppSecrets(secrets: string[]): Check {
  const name = 'META_APP_SECRET'
  const remedy = 'copy it from the App Dashboard (App settings, Basic)'
  if (secrets.length === 0) return fail(name, 'not set', remedy)
  const odd = secrets.filter((secret) => !/^[0-9a-f]{32}$/.test(secret)).length
  if (odd > 0) return warn(name, `${odd} of ${secrets.length} do not look like an app secret of Meta`, remedy)
  return fine(name, `${secrets.length} set`)
}
