/** What an operator can say about traces and records, and what is answered to what makes no sense. */
import { describe, expect, test } from "bun:test";
import { readSettings } from "./read.ts";

const read = (flags: Record<string, unknown>) => readSettings({ flags, environment: {}, configFileText: null });
const settingsOf = (flags: Record<string, unknown>) => {
  const found = read(flags);
  if ("error" in found) throw new Error(found.error);
  return found.settings;
};
const errorOf = (flags: Record<string, unknown>): string => {
  const found = read(flags);
  return "error" in found ? found.error : "accepted";
};

describe("a collector", () => {
  test("that names no path is asked at the path that every collector has", () => {
    expect(settingsOf({ otlp: "http://localhost:4318" }).tracing).toEqual({ url: "http://localhost:4318/v1/traces", share: 0.01 });
    expect(settingsOf({ otlp: "https://c.example/" }).tracing?.url).toBe("https://c.example/v1/traces");
  });

  test("that names a path is asked there", () => {
    expect(settingsOf({ otlp: "https://c.example/otlp/v1/traces" }).tracing?.url).toBe("https://c.example/otlp/v1/traces");
  });

  test.each(["localhost:4318", "grpc://c.example", "http://", "http://a b", "http://[::1"])("at %j is refused", (otlp) => {
    expect(errorOf({ otlp })).toStartWith(`--otlp: ${JSON.stringify(otlp)} is no http or https address; give the http or https address of`);
  });
});

describe("the share of purchases that are traced", () => {
  test.each([
    ["0", 0],
    ["0.25", 0.25],
    ["1", 1],
    ["1.0", 1],
  ])("can be %p", (otlpSample, share) => {
    expect(settingsOf({ otlp: "http://c.example", otlpSample }).tracing?.share).toBe(share);
  });

  test("can be a number in the configuration file", () => {
    const configFileText = '{"otlp": "http://c.example", "otlpSample": 0.5}';
    const found = readSettings({ flags: {}, environment: {}, configFileText });
    expect("settings" in found && found.settings.tracing?.share).toBe(0.5);
  });

  test.each(["1.1", "-1", "1%", "", "1e-3", "NaN", ".5"])("cannot be %j", (otlpSample) => {
    expect(errorOf({ otlp: "http://c.example", otlpSample })).toMatch(/^--otlp-sample: .*; give a number from 0 to 1$/);
  });

  test("means nothing without a collector", () => {
    expect(errorOf({ otlpSample: "0.5" })).toBe("--otlp-sample: means nothing without a collector; give --otlp too");
  });
});

test("access records go to Redis, or not, as somebody says; else it is left to where the system runs", () => {
  expect([{}, { accessStream: true }, { accessStream: false }].map((flags) => settingsOf(flags).accessStream)).toEqual([null, true, false]);
});
