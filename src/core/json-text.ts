/** JSON text of short strings, for the places where a whole document is put together by hand because it is made for every purchase. */

/** The same as `JSON.stringify(text)`. Most ids are printable ASCII without a quote or backslash, and are seen to be in one pass. */
export function jsonText(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return JSON.stringify(text);
  }
  return `"${text}"`;
}
