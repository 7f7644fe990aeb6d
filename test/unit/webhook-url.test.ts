import { describe, expect, it } from 'vitest'
import { mayReach } from '../../src/webhook-endpoints/addresses.ts'
import { faultOfUrl } from '../../src/webhook-endpoints/check-url.ts'

const PUBLIC = ['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450::1']
const PRIVATE = ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1']
const LOOPBACK = ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1']
const NEVER = [
  ...['0.0.0.0', '100.64.0.1', '100.100.100.200', '169.254.169.254', '192.0.0.192', '192.0.2.1'],
  ...['198.18.0.1', '198.51.100.1', '203.0.113.9', '224.0.0.1', '239.255.255.255', '255.255.255.255'],
  ...['::', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:a00:1', '64:ff9b::a00:1'],
  ...['64:ff9b:1::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '100::1', '2001:db8::1', '2001::1'],
  ...['2002:a00:1::', '3fff::1', 'fd00:ec2::254', 'fd20:ce::254', 'localhost', '', '1.2.3', '1.2.3.4.5'],
]

describe('an address to which Usher may post', () => {
  it.each(PUBLIC)('is %s', (address) => {
    expect([mayReach(address, false), mayReach(address, true)]).toEqual([true, true])
  })

  it.each([...PRIVATE, ...LOOPBACK])('is not %s, unless WEBHOOK_ALLOW_PRIVATE is set', (address) => {
    expect([mayReach(address, false), mayReach(address, true)]).toEqual([false, true])
  })

  it.each(NEVER)('is never "%s"', (address) => {
    expect([mayReach(address, false), mayReach(address, true)]).toEqual([false, false])
  })
})

describe('the URL of an endpoint', () => {
  it.each([
    'https://crm.example/hooks',
    'https://crm.example:8443/hooks?org=1',
    'https://crm.example./',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]/',
  ])('may be %s', (url) => {
    expect(faultOfUrl(url, false)).toBeUndefined()
  })

  it.each([
    ['crm.example', 'cannot be read'],
    ['https://', 'cannot be read'],
    ['http://crm.example/', 'https://'],
    ['ftp://crm.example/', 'https://'],
    ['file:///etc/passwd', 'https://'],
    ['https://user@crm.example/', 'no user'],
    ['https://:secret@crm.example/', 'no user'],
    ['https://crm.example/#part', 'no fragment'],
    ['https://localhost/', 'public'],
    ['https://LOCALHOST./', 'public'],
    ['https://a.localhost/', 'public'],
    ['https://127.0.0.1/', 'public'],
    ['https://2130706433/', 'public'],
    ['https://0x7f.1/', 'public'],
    ['https://0177.0.0.1/', 'public'],
    ['https://10.0.0.1/', 'public'],
    ['https://[::1]/', 'public'],
    ['https://[::ffff:127.0.0.1]/', 'public'],
    ['https://169.254.169.254/latest/meta-data', 'public'],
  ])('may not be %s', (url, reason) => {
    expect(faultOfUrl(url, false)).toContain(reason)
  })

  it('may lead to loopback, also by http, and by https to private networks, if WEBHOOK_ALLOW_PRIVATE is set', () => {
    const allowed = [
      ...['http://127.0.0.1:9000/', 'http://localhost/', 'http://[::1]/', 'https://127.0.0.1/'],
      ...['https://10.0.0.1/', 'https://localhost/'],
    ]
    for (const url of allowed) expect([url, faultOfUrl(url, true)]).toEqual([url, undefined])
    const refused = ['http://10.0.0.1/', 'http://crm.example/', 'https://169.254.169.254/', 'https://[::]/']
    for (const url of refused) expect([url, faultOfUrl(url, true)]).toEqual([url, expect.any(String)])
  })
})
