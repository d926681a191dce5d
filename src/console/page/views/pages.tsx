/** The pages of the console, by the name that they have in an address. */
import type { ComponentType } from "preact";
import { Now } from "./now.tsx";
import { Orders } from "./orders.tsx";
import type { PageName } from "./page-names.ts";
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

export const PAGES: Readonly<Record<PageName, Page>> = {
  now: { View: Now },
  sales: { View: Sales },
  protection: { View: Protection },
  trace: { View: Trace },
  orders: { View: Orders },
  trail: { View: Trail },
  report: { View: Report },
};
