/** Bounds that hold only together. */
import { describe, expect, test } from "bun:test";
import Stripe from "stripe";
import { CONSOLE_CALLS_MAX } from "./limits/console.ts";
import { REGISTRY_PEERS_MAX } from "./limits/registry.ts";
import {
  CONNECTION_IDLE_SECONDS,
  OUTBOUND_REQUESTS_MAX,
  PAYMENT_STARTS_IN_FLIGHT_MAX,
  PROVIDER_CALL_MS_MAX,
  PROVIDER_RETRIES_MAX,
  PROVIDER_TIMEOUT_MS,
  REFUNDS_IN_FLIGHT_MAX,
  REFUNDS_PER_PROVIDER_MAX,
  SHUTDOWN_MS_MAX,
  WEBHOOK_DELIVERIES_MAX,
  WEBHOOK_LANES,
  WEBHOOK_SILENT_DELIVERIES_MAX,
} from "./limits.ts";

describe("requests to others", () => {
  test("are never so many that one has to wait behind those that hang", () => {
    const [keySets, traces, trafficSink] = [1, 1, 1];
    const ofShop = [WEBHOOK_DELIVERIES_MAX, PAYMENT_STARTS_IN_FLIGHT_MAX, REFUNDS_IN_FLIGHT_MAX, REGISTRY_PEERS_MAX];
    const all = [...ofShop, CONSOLE_CALLS_MAX, keySets, traces, trafficSink];
    expect(all.reduce((sum, most) => sum + most, 0)).toBeLessThan(OUTBOUND_REQUESTS_MAX);
    // Bun's own bound, unless the environment sets another (BUN_CONFIG_MAX_HTTP_REQUESTS).
    expect(OUTBOUND_REQUESTS_MAX).toBe(256);
  });

  test("leave room for others, whoever hangs", () => {
    expect(WEBHOOK_DELIVERIES_MAX - WEBHOOK_SILENT_DELIVERIES_MAX).toBeGreaterThan(WEBHOOK_LANES);
    // Stripe, one other, and the demo's own.
    expect(3 * REFUNDS_PER_PROVIDER_MAX).toBeLessThan(REFUNDS_IN_FLIGHT_MAX);
  });
});

describe("the longest call of a payment provider", () => {
  test("has all of its tries in it, and the wait that Stripe's library makes before the second", () => {
    const waitMs = new Stripe("sk_test_secret").getInitialNetworkRetryDelay() * 1_000;
    expect([PROVIDER_RETRIES_MAX, PROVIDER_CALL_MS_MAX]).toEqual([1, 2 * PROVIDER_TIMEOUT_MS + waitMs]);
  });

  test("ends a second before the process that was told to stop, and before the shopper's connection", () => {
    expect(PROVIDER_CALL_MS_MAX + 1_000).toBeLessThanOrEqual(SHUTDOWN_MS_MAX);
    expect(PROVIDER_CALL_MS_MAX + 1_000).toBeLessThanOrEqual(CONNECTION_IDLE_SECONDS * 1_000);
  });
});
