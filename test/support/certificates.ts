import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atEndOf } from './at-end.ts'

/** Paths of PEM files. */
export type Certificate = { certificate: string; key: string }

export type Authority = Certificate & {
  /** Signs a certificate for these names, such as `DNS:localhost` or `IP:127.0.0.1`, and for clients. */
  sign(name: string, ...names: string[]): Certificate
}

/** Makes a certificate authority with openssl; its files stay until the end of the test file. */
export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'usher-ca-'))
  atEndOf('file', () => rmSync(folder, { recursive: true }))
  const at = (file: string) => join(folder, file)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = (file: string) =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', at(file))
  newKey('ca.key')
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-subj',
    '/CN=Usher tests',
    '-days',
    '2',
  )
  return {
    certificate: at('ca.pem'),
    key: at('ca.key'),
    sign(name, ...names) {
      newKey(`${name}.key`)
      writeFileSync(at(`${name}.ext`), names.length > 0 ? `subjectAltName=${names.join(',')}\n` : '')
      openssl('req', '-new', '-key', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`)
      const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2']
      openssl(
        'x509',
        '-req',
        '-in',
        at(`${name}.csr`),
        ...signing,
        '-extfile',
        at(`${name}.ext`),
        '-out',
        at(`${name}.pem`),
      )
      return { certificate: at(`${name}.pem`), key: at(`${name}.key`) }
    },
  }
}
