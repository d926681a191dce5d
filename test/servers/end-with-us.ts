/** Whatever ends the test process ends the server too. A process that is killed cannot do it, and `bun test` calls nobody when it ends. */
export function endWithUs(dir: string, stop: readonly string[]): void {
  const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");
  const isNeeded = `kill -0 ${process.pid} 2>/dev/null && [ -d ${quoted([dir])} ]`;
  const watch = `while ${isNeeded}; do sleep 1; done; [ -d ${quoted([dir])} ] && { ${quoted(stop)}; rm -rf ${quoted([dir])}; }`;
  Bun.spawnSync(["setsid", "sh", "-c", `( ${watch} ) < /dev/null > /dev/null 2>&1 &`]);
}
