import { isIPv4 } from 'node:net';

/** All of 127.0.0.0/8 is loopback (RFC 1122, section 3.2.1.3), and of IPv6 the one address. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === 'localhost' || name === '::1' || name === '[::1]') return true;
  return name.startsWith('127.') && isIPv4(name);
}
