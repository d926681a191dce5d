/** The pages of the console, by the name that they have in an address. */
import type { ComponentType } from "preact";
import { Now } from "./now.tsx";
import { Orders } from "./orders.tsx";
import { Protection } from "./protection.tsx";
import { Report } from "./report.tsx";
import { Sales } from "./sales.tsx";
import { Trace } from "./trace.tsx";
import { Trail } from "./trail.tsx";

export interface ViewProps {
  /** What stands in the address behind the page's name. */
  readonly place: string;
}
interface Page {
  readonly View: ComponentType<ViewProps>;
}

/** In the order in which they are offered. */
export const PAGE_NAMES = ["now", "sales", "protection", "trace", "orders", "trail", "report"] as const;
export type PageName = (typeof PAGE_NAMES)[number];

export const PAGES: Readonly<Record<PageName, Page>> = {
  now: { View: Now },
  sales: { View: Sales },
  protection: { View: Protection },
  trace: { View: Trace },
  orders: { View: Orders },
  trail: { View: Trail },
  report: { View: Report },
};

export const isPage = (name: string): name is PageName => Object.hasOwn(PAGES, name);
