/** Trace ids as four words of 32 bits each, the highest first. */

const DIGITS = 32;
const NO_DIGIT = 255;
/** By character code: the value of a lower-case hex digit. */
const VALUES = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(code));
  return digit < 0 ? NO_DIGIT : digit;
});

/** Reads 32 hex digits. @returns false when they are none; then the words are nothing */
export function readHex(bytes: Uint8Array, from: number, words: Uint32Array, at: number): boolean {
  if (from + DIGITS > bytes.length) return false;
  for (let word = 0; word < 4; word += 1) {
    let value = 0;
    for (let digit = from + 8 * word; digit < from + 8 * word + 8; digit += 1) {
      const four = VALUES[bytes[digit] as number] as number;
      if (four === NO_DIGIT) return false;
      value = (value << 4) | four;
    }
    words[at + word] = value;
  }
  return true;
}

/** The same of a text. All zero when it is none. */
export function hexWords(text: string | null, words: Uint32Array, at: number): void {
  if (text === null || text.length !== DIGITS || !readHex(Buffer.from(text), 0, words, at)) words.fill(0, at, at + 4);
}

export function hexText(words: Uint32Array, at: number): string {
  let text = "";
  for (let word = 0; word < 4; word += 1) text += (words[at + word] as number).toString(16).padStart(8, "0");
  return text;
}

export const isNoTrace = (words: Uint32Array, at: number): boolean =>
  words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0 && words[at + 3] === 0;
