/** Looks again and again until `condition` holds. The bound is only there to end a broken run with a sentence. */
export async function waitFor(condition: () => boolean | Promise<boolean>, what: string, waitMsMax = 20_000): Promise<void> {
  const startedAt = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAt > waitMsMax) throw new Error(`waited ${waitMsMax} ms in vain until ${what}`);
    await Bun.sleep(10);
  }
}
