/** Node's codes for a certificate that is not accepted, by how they begin, and what to do. */
const MISTAKES: readonly [code: RegExp, advice: string][] = [
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'The certificate of PostgreSQL is for another host name than that of DATABASE_URL: use a name of the certificate in the URL, or sslmode=verify-ca',
  ],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'The certificate of PostgreSQL is not valid at this time: renew it'],
  [
    /^(CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_|UNABLE_TO_)/,
    'The certificate of PostgreSQL is not signed by an authority that Usher knows: set sslrootcert=/path/to/ca.pem in DATABASE_URL, or sslmode=require to accept any certificate',
  ],
]
const NO_FILE = 'A file that DATABASE_URL names (sslrootcert, sslcert, sslkey) cannot be read'
/** Messages of the pg library and of PostgreSQL. */
const NO_TLS = /server does not support SSL/
const TLS_NEEDED = /no pg_hba\.conf entry.*(no encryption|SSL off)/

/**
 * What to do about an error of a connection to PostgreSQL that TLS or a certificate causes; undefined for any other
 * error. It goes away when somebody changes the URL, or the certificate.
 */
export function adviseOnTls(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code = '', syscall } = e as NodeJS.ErrnoException
    // PostgreSQL's socket may be a file too.
    if (syscall !== 'connect' && /^(ENOENT|EACCES|EISDIR)$/.test(code)) return NO_FILE
    const advice = MISTAKES.find(([pattern]) => pattern.test(code))?.[1]
    if (advice !== undefined) return advice
    if (NO_TLS.test(e.message))
      return 'The server that DATABASE_URL names does not speak TLS: switch it on there (ssl = on), or set sslmode=disable'
    if (TLS_NEEDED.test(e.message))
      return 'PostgreSQL takes this user only over TLS: set sslmode=verify-full and sslrootcert in DATABASE_URL'
  }
  return undefined
}
