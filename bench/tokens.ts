/** Signed tokens for a crowd whose purchases the benchmark measures. */
import { join } from "node:path";
import { SignJWT } from "jose";

const SECRET = "the-secret-of-the-benchmark-that-signs-tokens";
const ISSUER = "https://bench.example";

/** What the system is told to believe. */
export const TOKEN_FLAGS: readonly string[] = ["--identity", "jwt", "--jwt-secret", SECRET, "--jwt-issuer", ISSUER];

/** A file with one token in a line, for the users UID0000000001 and on. */
export async function signTokens(folder: string, users: number): Promise<string> {
  const key = new TextEncoder().encode(SECRET);
  const tokens: string[] = [];
  for (let user = 1; user <= users; user += 1) {
    const token = new SignJWT({ level: 5 }).setProtectedHeader({ alg: "HS256" }).setSubject(`UID${String(user).padStart(10, "0")}`);
    tokens.push(await token.setIssuer(ISSUER).setExpirationTime("2h").sign(key));
  }
  const file = join(folder, "tokens.txt");
  await Bun.write(file, tokens.join("\n"));
  return file;
}
