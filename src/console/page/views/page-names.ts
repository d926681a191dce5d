/** The pages, in the order in which they are offered. */
export const PAGE_NAMES = ["now", "sales", "protection", "trace", "orders", "trail", "report"] as const;
export type PageName = (typeof PAGE_NAMES)[number];

export const isPage = (name: string): name is PageName => PAGE_NAMES.some((page) => page === name);
