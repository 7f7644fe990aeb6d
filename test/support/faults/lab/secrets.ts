import { randomBytes } from 'node:crypto'

/** The secrets of an installation. None of them, and no message text, may be found in any log. */
export type Secrets = ReturnType<typeof makeSecrets>

export function makeSecrets() {
  const secret = () => `secret-${randomBytes(16).toString('hex')}`
  return {
    app: secret(),
    verify: secret(),
    jwt: secret(),
    ops: secret(),
    accessToken: secret(),
    /** Begins every text message. */
    text: secret(),
    secretsKey: randomBytes(32),
  }
}

/** The secrets as they would look in a log. */
export function secretStrings({ secretsKey, ...others }: Secrets): string[] {
  return [...Object.values(others), secretsKey.toString('base64')]
}
