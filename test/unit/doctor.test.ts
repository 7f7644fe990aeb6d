import { describe, expect, it } from 'vitest'
import { checkNode } from '../../src/doctor/check-node.ts'
import { checkSecrets } from '../../src/doctor/check-secrets.ts'

describe('the doctor', () => {
  it.each([
    ['v18.20.0', 'failed'],
    ['v20.18.3', 'failed'],
    ['v20.19.5', 'warning'],
    ['v22.1.0', 'ok'],
    ['v24.21.0', 'ok'],
  ])('judges Node %s: %s', (version, status) => {
    expect(checkNode(version).status).toBe(status)
  })

  it('says of each secret whether it is there and has the form of one, and shows none', () => {
    const jwt = { secrets: ['s'.repeat(32)], jwksUrl: undefined, issuer: undefined, audience: undefined }
    const good = { appSecrets: ['0123456789abcdef0123456789abcdef'], verifyTokens: ['canary'] }
    const all = checkSecrets({ meta: good, jwt, secretsKey: Buffer.alloc(32) })
    expect(all.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok'])
    const none = { meta: { appSecrets: [], verifyTokens: [] }, jwt: { ...jwt, secrets: [] } }
    const without = checkSecrets({ ...none, secretsKey: undefined })
    expect(without.map(({ status }) => status)).toEqual(['failed', 'failed', 'warning', 'warning'])
    const [odd] = checkSecrets({ meta: { ...good, appSecrets: ['canary'] }, jwt, secretsKey: undefined })
    expect(odd?.status).toBe('warning')
    expect(JSON.stringify([all, odd])).not.toMatch(/canary|0123456789abcdef|ssss/)
  })
})
