/** The settings of what is told about purchases while they are made: traces for a collector, and records for whoever analyses the traffic. */
import { flagOf, InvalidSetting, onOff, type Setting, tested } from "./kinds.ts";

export interface TracingSettings {
  /** Where the collector takes traces, with its path. */
  readonly url: string;
  /** Of all purchases, 0 to 1. */
  readonly share: number;
}

/** The path that every collector has, when the address names none. */
const TRACES_PATH = "/v1/traces";

const otlp = tested<string, string | null>("otlp", "text", {
  parse: (given) => {
    const url = /^https?:\/\/[^\s]{1,2000}$/.test(given) && URL.canParse(given) ? new URL(given) : null;
    if (url === null) return { fault: "is no http or https address" };
    if (url.pathname === "/") url.pathname = TRACES_PATH;
    return { value: url.href };
  },
  allowed: `the http or https address of an OTLP collector, for example http://localhost:4318; without a path ${TRACES_PATH} is added`,
  fallback: null,
  defaultText: "none",
  help: "Where sampled purchases are sent as OpenTelemetry traces (OTLP over HTTP, JSON). Keys that the collector asks for go into OTEL_EXPORTER_OTLP_HEADERS.",
});
const SHARE_DEFAULT = 0.01;
const otlpSample: Setting<number | null> = {
  name: "otlpSample",
  kind: "number",
  unit: "share of all purchases",
  parse: (given) => {
    if (!/^\d{1,3}(\.\d{1,15})?$/.test(given)) return { fault: "is no number" };
    return Number(given) <= 1 ? { value: Number(given) } : { fault: "is out of range" };
  },
  allowed: "a number from 0 to 1",
  fallback: null,
  defaultText: `the share ${SHARE_DEFAULT}`,
  help: "How many of the purchases are sent; the trace id alone decides which.",
};
const accessStream: Setting<boolean | null> = {
  ...onOff("accessStream", { help: "Adds every gate's access records to Redis Streams, for whoever analyses the traffic." }),
  fallback: null,
  defaultText: "the topology's: on where there is a Redis",
};

export const TRACING_SETTINGS: readonly Setting<unknown>[] = [otlp, otlpSample, accessStream];

type Pick = <T>(setting: Setting<T>) => T;

/** `null`: nothing is traced. */
export function tracingSettingsFrom(pick: Pick): TracingSettings | null {
  const url = pick(otlp);
  const share = pick(otlpSample);
  if (url !== null) return { url, share: share ?? SHARE_DEFAULT };
  if (share !== null) throw new InvalidSetting(`${flagOf(otlpSample)}: means nothing without a collector; give ${flagOf(otlp)} too`);
  return null;
}

/** `null`: nobody has said so; where there is a Redis, it is on. */
export const accessStreamFrom = (pick: Pick): boolean | null => pick(accessStream);
