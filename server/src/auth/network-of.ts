/**
 * Whom an address stands for in limits: an IPv4 address for itself, an IPv6 one
 * for its network of 64 bits, all of which one customer has. An IPv4 address in
 * IPv6 form is the IPv4 address.
 */
export function networkOf(address: string): string {
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (!plain.includes(':')) return plain;
  const [front = '', back] = plain.replace(/%.*$/, '').split('::', 2);
  const groups = groupsOf(front);
  if (back !== undefined) {
    const zeros = Math.max(0, 8 - groups.length - groupsOf(back).length);
    groups.push(...new Array<string>(zeros).fill('0'), ...groupsOf(back));
  }
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
