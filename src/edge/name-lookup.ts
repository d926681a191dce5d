/** The addresses behind a name: as a Kubernetes headless service has one name for all its instances. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

export type AddressesOf = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const systemLookup: AddressesOf = (host) => lookup(host, { all: true });

/** The same URL once per address of its host. One whose host is an address, and one whose certificate needs its name, stays as it is.
 *  @returns `null` when a name is not known now */
export async function urlsBehind(urls: readonly string[], addressesOf = systemLookup): Promise<readonly string[] | null> {
  try {
    const all = await Promise.all(urls.map((url) => urlsOfOne(url, addressesOf)));
    return [...new Set(all.flat())].sort();
  } catch {
    // The name server cannot say: whoever asks keeps what it knew.
    return null;
  }
}

async function urlsOfOne(text: string, addressesOf: AddressesOf): Promise<readonly string[]> {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (url.protocol === "https:" || host === "localhost" || isIP(host) !== 0) return [text];
  const addresses = await addressesOf(host);
  return addresses.map(({ address, family }) => {
    const one = new URL(text);
    one.hostname = family === 6 ? `[${address}]` : address;
    return one.href.replace(/\/+$/, "");
  });
}
