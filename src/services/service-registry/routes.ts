/** The registry behind HTTP: each operation of the protocol, answered in the form that was asked for. */
import { type Endpoint, type HttpReply, json, on, type RequestInput, type Route } from "../../core/endpoint.ts";
import { problem } from "../../core/problem.ts";
import type { Clock, UnixMs } from "../../core/time.ts";
import { METADATA_CHARS_MAX, METADATA_ENTRIES_MAX } from "../../limits/registry.ts";
import {
  ADD_METADATA,
  ALL_APPLICATIONS,
  ANY_INSTANCE,
  AT_SECURE_VIP,
  AT_VIP,
  CANCEL,
  CLEAR_STATUS,
  DELTA,
  everywhere,
  ONE_APPLICATION,
  ONE_INSTANCE,
  REGISTER,
  RENEW,
  REPLICATE,
  SET_STATUS,
} from "./api.ts";
import { type Application, applicationName, type Instance, instanceFrom, type Lease } from "./instance.ts";
import { asksForJson, hashcodeOf, type ProtocolForm } from "./protocol-form.ts";
import { jsonForm } from "./protocol-json.ts";
import { xmlForm } from "./protocol-xml.ts";
import { REPLICATION_HEADER, replayed } from "./replication.ts";
import type { From, ServiceRegistry } from "./service.ts";

type Asked = Pick<RequestInput<Endpoint["params"], Endpoint["query"], NonNullable<Endpoint["body"]>>, "headers">;

export function routes(registry: ServiceRegistry, clock: Clock): Route[] {
  return [...writingRoutes(registry, clock), ...readingRoutes(registry, clock)];
}

function writingRoutes(registry: ServiceRegistry, clock: Clock): Route[] {
  return [
    ...everywhere(REGISTER).map((endpoint) =>
      on(endpoint, ({ params, body, headers }) => {
        const now = clock.now();
        return register(registry, params.app, instanceFrom(body.instance, now), now, fromOf({ headers }));
      }),
    ),
    ...everywhere(RENEW).map((endpoint) =>
      on(endpoint, ({ params, query, headers }) => {
        const from = fromOf({ headers });
        const outcome = registry.renew(params.app, params.id, clock.now(), timestampFrom(query.lastDirtyTimestamp), from);
        const lease = outcome === "newer" && from === "peer" ? registry.find(params.app, params.id) : null;
        return lease ? inForm({ headers }, clock.now(), (form) => form.instance(lease)) : empty(outcome === "unknown" ? 404 : 200);
      }),
    ),
    ...everywhere(CANCEL).map((endpoint) =>
      on(endpoint, ({ params, headers }) =>
        empty(registry.cancel(params.app, params.id, clock.now(), fromOf({ headers })) === "cancelled" ? 200 : 404),
      ),
    ),
    ...everywhere(SET_STATUS).map((endpoint) =>
      on(endpoint, ({ params, query, headers }) => {
        const change = { dirtyAt: timestampFrom(query.lastDirtyTimestamp), from: fromOf({ headers }) };
        return empty(registry.setStatus(params.app, params.id, query.value, clock.now(), change) === "set" ? 200 : 404);
      }),
    ),
    ...everywhere(CLEAR_STATUS).map((endpoint) =>
      on(endpoint, ({ params, query, headers }) => {
        const change = { dirtyAt: timestampFrom(query.lastDirtyTimestamp), from: fromOf({ headers }) };
        const outcome = registry.clearStatus(params.app, params.id, query.value ?? "UNKNOWN", clock.now(), change);
        return empty(outcome === "cleared" ? 200 : 404);
      }),
    ),
    ...everywhere(ADD_METADATA).map((endpoint) =>
      on(endpoint, ({ params, query }) => addMetadata(registry, params, query as Readonly<Record<string, string>>, clock.now())),
    ),
    ...everywhere(REPLICATE).map((endpoint) => on(endpoint, ({ body }) => json(replayed(registry, body.replicationList, clock.now())))),
  ];
}

function readingRoutes(registry: ServiceRegistry, clock: Clock): Route[] {
  const hashcode = (): string => hashcodeOf(registry.leases());
  const atAddress = (asked: Asked, applications: readonly Application[]): HttpReply => {
    if (applications.length === 0) return problem(404, "no instance has that address");
    const leases = applications.flatMap((application) => application.leases);
    return inForm(asked, clock.now(), (form) => form.listing({ applications, hashcode: hashcodeOf(leases), version: 1 }));
  };
  return [
    ...everywhere(ALL_APPLICATIONS).map((endpoint) =>
      on(endpoint, ({ headers }) => {
        const listing = { applications: registry.applications(), hashcode: hashcode(), version: 1 };
        return inForm({ headers }, clock.now(), (form) => form.listing(listing));
      }),
    ),
    ...everywhere(DELTA).map((endpoint) =>
      on(endpoint, ({ headers }) => {
        const now = clock.now();
        const listing = { ...registry.recentChanges(now), hashcode: hashcode() };
        return inForm({ headers }, now, (form) => form.listing(listing));
      }),
    ),
    ...everywhere(ONE_APPLICATION).map((endpoint) =>
      on(endpoint, ({ params, headers }) => {
        const application = registry.application(params.app);
        if (!application) return problem(404, "no instance of that application is registered");
        return inForm({ headers }, clock.now(), (form) => form.application(application));
      }),
    ),
    ...everywhere(ONE_INSTANCE).map((endpoint) =>
      on(endpoint, ({ params, headers }) => instanceReply({ headers }, clock.now(), registry.find(params.app, params.id))),
    ),
    ...everywhere(ANY_INSTANCE).map((endpoint) =>
      on(endpoint, ({ params, headers }) => instanceReply({ headers }, clock.now(), registry.findAnywhere(params.id))),
    ),
    ...everywhere(AT_VIP).map((endpoint) =>
      on(endpoint, ({ params, headers }) => atAddress({ headers }, registry.applicationsAt("vipAddress", params.address))),
    ),
    ...everywhere(AT_SECURE_VIP).map((endpoint) =>
      on(endpoint, ({ params, headers }) => atAddress({ headers }, registry.applicationsAt("secureVipAddress", params.address))),
    ),
  ];
}

/** The protocol's answers without content: its clients read the status alone. */
const empty = (status: 200 | 204 | 404): HttpReply => ({ status, body: "" });

const fromOf = ({ headers }: Asked): From => (headers.get(REPLICATION_HEADER) === "true" ? "peer" : "client");

/** What is no number says nothing, as it always has to clients that write one they do not know. */
const timestampFrom = (text: string | undefined): UnixMs | null => (/^\d{1,15}$/.test(text ?? "") ? Number(text) : null);

/** @param now the times of leases in the answer are by this clock, which need not be the reader's */
function inForm({ headers }: Asked, now: UnixMs, write: (form: ProtocolForm) => HttpReply["body"]): HttpReply {
  const form = asksForJson(headers.get("accept")) ? jsonForm : xmlForm;
  return { status: 200, body: write(form), headers: { "content-type": form.contentType, vary: "accept", "server-now": String(now) } };
}

const instanceReply = (asked: Asked, now: UnixMs, lease: Lease | null): HttpReply =>
  lease ? inForm(asked, now, (form) => form.instance(lease)) : problem(404, "no such instance is registered");

function register(registry: ServiceRegistry, app: string, instance: Instance, now: UnixMs, from: From): HttpReply {
  if (instance.app !== applicationName(app)) {
    return problem(400, "the path and the body name different applications", {
      errors: [{ pointer: "#/instance/app", detail: "must be the application of the path" }],
    });
  }
  if (registry.register(instance, now, from) === "registered") return empty(204);
  return problem(503, "the registry is full; cancel instances that are gone, or try again when their leases have ended", {
    headers: { "retry-after": "30" },
  });
}

function addMetadata(
  registry: ServiceRegistry,
  { app, id }: { readonly app: string; readonly id: string },
  entries: Readonly<Record<string, string>>,
  now: UnixMs,
): HttpReply {
  const outcome = registry.addMetadata(app, id, entries, now);
  if (outcome !== "too-much") return empty(outcome === "added" ? 200 : 404);
  const most = `at most ${METADATA_ENTRIES_MAX} entries and ${METADATA_CHARS_MAX} characters`;
  return problem(400, `an instance has ${most} of metadata`, { errors: [{ pointer: "#/query", detail: `makes more than ${most}` }] });
}
