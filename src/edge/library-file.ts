/** Text files out of an installed package, each read once. */

/** @returns gives the text of the file of that name; the caller decides which names may be asked for */
export function libraryFiles(packageName: string): (name: string) => Promise<string> {
  const texts = new Map<string, Promise<string>>();
  return (name) => {
    const known = texts.get(name) ?? Bun.file(Bun.resolveSync(`${packageName}/${name}`, import.meta.dir)).text();
    texts.set(name, known);
    return known;
  };
}
