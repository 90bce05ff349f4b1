import { BlockList, isIP } from 'node:net'

// One list per family: a BlockList compares an IPv4 address with IPv6 rules as if it were mapped.
const ipv4 = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8], // this network, unspecified
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT, some metadata services
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // a cloud's host agent, on a public address
  ['169.254.0.0', 16], // link-local, metadata services
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.31.196.0', 24], // AS112
  ['192.52.193.0', 24], // AMT relays
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['192.175.48.0', 24], // AS112
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const) {
  ipv4.addSubnet(net, prefix, 'ipv4')
}

// Only 2000::/3 is global unicast: everything around it is loopback, mapped, translated (NAT64), unique-local, …
const ipv6 = new BlockList()
for (const [net, prefix] of [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23], // protocol assignments, Teredo, ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['2620:4f:8000::', 48], // AS112
  ['3fff::', 20], // documentation
] as const) {
  ipv6.addSubnet(net, prefix, 'ipv6')
}

/** Is this an address on the public internet? Anything that is not an address is not. */
export function isPublic(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !ipv4.check(address, 'ipv4')
  return family === 6 && !ipv6.check(address, 'ipv6')
}
