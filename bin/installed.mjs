// Makes a fresh clone runnable: installs the pinned packages when they are missing, then hands over to Bun.
// Plain Node, because Bun itself is one of the packages.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bun = join(root, "node_modules", ".bin", "bun");

function bunRuns() {
  return existsSync(bun) && spawnSync(bun, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Installs what is missing; says so on stderr, because it takes some seconds. Exits with 1 when it cannot. */
export function installWhatIsMissing() {
  if (bunRuns()) return;
  console.error("doorbuster: installing the pinned packages (npm ci), once ...");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root, stdio: ["ignore", 2, 2] });
  // Some npm versions do not run install scripts; Bun's own fetches nothing, it only puts the binary in place.
  if (npm.status === 0 && !bunRuns()) {
    spawnSync(process.execPath, [join(root, "node_modules", "bun", "install.js")], {
      cwd: join(root, "node_modules", "bun"),
      stdio: ["ignore", 2, 2],
    });
  }
  if (!bunRuns()) {
    console.error(`doorbuster: the packages could not be installed. Run \`npm ci\` in ${root} and read what it says.`);
    process.exit(1);
  }
}

/** Runs Bun in this process's place: same terminal, same signals, same exit code. */
export function handOverToBun(args, cwd = process.cwd()) {
  const child = spawn(bun, args, { stdio: "inherit", cwd });
  // A terminal sends Ctrl-C to the whole group, and the child handles it; a supervisor signals only this process.
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGKILL" ? 137 : 1)));
}
