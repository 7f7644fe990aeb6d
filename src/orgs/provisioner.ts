/** Who provisions, as the audit names it, and the key that encrypts access tokens. */
export type Provisioner = { actor: string; secretsKey: Buffer | undefined }
