/** `host:port`, as it stands in a URL. */
export function formatAddress({ host, port }: { readonly host: string; readonly port: number }) {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
