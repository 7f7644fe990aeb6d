/** What the API needs to know of the configuration. */
export type Installation = {
  /** Encrypts the secrets of webhook endpoints; undefined: none can be created. */
  secretsKey: Buffer | undefined
  /** Events may be posted to loopback and to private networks. */
  allowPrivateWebhooks: boolean
}
