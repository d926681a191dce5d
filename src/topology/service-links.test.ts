/** What a gate's operator is told of a service that cannot be reached. */
import { expect, test } from "bun:test";
import { readSettings } from "../settings/read.ts";
import { LINKED_SERVICES } from "../settings/topology.ts";
import { meanwhile } from "./service-links.ts";

function toldWith(flags: Readonly<Record<string, string>>): string[] {
  const read = readSettings({ flags, environment: {}, configFileText: null });
  if ("error" in read) throw new Error(read.error);
  return LINKED_SERVICES.filter((service) => meanwhile(read.settings, service) === "purchases pass without it meanwhile");
}

test("it says that purchases pass only of a step that was told to let everybody pass", () => {
  expect(toldWith({})).toEqual([]);
  expect(toldWith({ protectWhenDown: "open" })).toEqual(["safe-protector"]);
  expect(toldWith({ policyWhenDown: "open" })).toEqual(["policy-controller"]);
});
