import { BlockList, isIP } from 'node:net'

type Reach = 'public' | 'private' | 'loopback' | 'never'

/**
 * The ranges of IANA's registries of special-purpose addresses, and the metadata services of clouds, which have addresses
 * in private ranges too. Of IPv6 only 2000::/3 is public, so addresses that contain an IPv4 address (mapped, NAT64) are
 * not, and 6to4 and Teredo, which are in 2000::/3, are named here.
 */
const RANGES = {
  4: {
    loopback: listOf('ipv4', '127.0.0.0/8'),
    private: listOf('ipv4', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'),
    public: listOf('ipv4', '0.0.0.0/0'),
    never: listOf(
      'ipv4',
      ...['0.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24'],
      ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
    ),
  },
  6: {
    loopback: listOf('ipv6', '::1/128'),
    private: listOf('ipv6', 'fc00::/7'),
    public: listOf('ipv6', '2000::/3'),
    never: listOf(
      'ipv6',
      ...['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', 'fd00:ec2::/32', 'fd20:ce::/32'],
    ),
  },
}

function listOf(family: 'ipv4' | 'ipv6', ...ranges: string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    list.addSubnet(network, Number(bits), family)
  }
  return list
}

/** What an IP address leads to; `never`: nothing that Usher may post to. Text that is no address is `never` as well. */
export function reachOf(address: string): Reach {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return 'never'
  const family = version === 6 ? 'ipv6' : 'ipv4'
  const ranges = RANGES[version as 4 | 6]
  const found = (['never', 'loopback', 'private', 'public'] as const).find((kind) =>
    ranges[kind].check(address, family),
  )
  return found ?? 'never'
}

/** Whether Usher may post to an address. `allowPrivate`: also to loopback and to private networks. */
export function mayReach(address: string, allowPrivate: boolean): boolean {
  const reach = reachOf(address)
  return reach === 'public' || (allowPrivate && reach !== 'never')
}
