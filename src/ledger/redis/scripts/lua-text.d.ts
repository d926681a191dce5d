/** Scripts are imported as text, so that a compiled program carries them. */
declare module "*.lua" {
  const text: string;
  export = text;
}
