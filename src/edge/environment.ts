/** The process's environment, for whoever reads settings from it. */
export const environment: Readonly<Record<string, string | undefined>> = process.env;
