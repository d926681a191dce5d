/** What every port says of its own API. All that a port serves goes through here, so that nothing is served that its description leaves out. */
import packageJson from "../../package.json" with { type: "json" };
import { withDescription } from "../api-description/routes.ts";
import type { Route } from "../core/endpoint.ts";
import { libraryFiles } from "../edge/library-file.ts";
import type { PortName } from "./ports.ts";

const JOBS: Readonly<Record<PortName, string>> = {
  GateKeeper: "The only public door: a purchase goes through the four services behind it, and shoppers find here what is theirs.",
  SafeProtector: "Refuses blacklisted users and addresses.",
  PolicyController: "Who may buy how much, by sale and user level; the sales themselves; what each user has ordered.",
  InventoryManager: "The goods, and how many are left.",
  ShoppingCart:
    "The cart: freezes stock on add, releases it on time. And what becomes of it, for operators: orders, refunds, events, and webhooks that are told of them.",
  ServiceRegistry: "Service discovery, in Eureka's protocol.",
  Console: "The operators' console: a page, and what it asks of the services for whoever is signed in.",
};
const pageFiles = libraryFiles("swagger-ui-dist");

export const describedRoutes = (service: PortName, routes: readonly Route[]): Route[] =>
  withDescription({ service, description: JOBS[service], version: packageJson.version }, routes, pageFiles);
